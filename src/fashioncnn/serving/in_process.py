"""Answering in the process that asks: for servers that keep many of it themselves, as Ray does."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from fashioncnn.bundles.bundle import Bundle
from fashioncnn.serving.answering import Ready, read_pictures, reply_to
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.messages import UNFORESEEN, Job, Reply

Waiting = tuple[Ready, asyncio.Future[Reply]]


class InProcess:
    """Reads pictures on threads and answers on one more, what has gathered at a time."""

    restarts = 0
    is_ready = True

    def __init__(self, bundles: dict[str, Bundle], limits: Limits) -> None:
        self._bundles, self._limits = bundles, limits
        self._readers = ThreadPoolExecutor(os.cpu_count())
        self._answerer = ThreadPoolExecutor(1)
        self._waiting: dict[str, list[Waiting]] = {name: [] for name in bundles}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, job: Job) -> Reply:
        """Return the reply to a job."""
        loop = asyncio.get_running_loop()
        bundle = self._bundles[job.model]
        found = await loop.run_in_executor(self._readers, read_pictures, job, bundle, self._limits)
        if isinstance(found, Reply):
            return found
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting[job.model].append((found, future))
        if job.model not in self._tasks:
            self._tasks[job.model] = loop.create_task(self._answer(job.model))
        return await future

    async def _answer(self, model: str) -> None:
        """Answer what waits for a model, until nothing does."""
        loop = asyncio.get_running_loop()
        waiting, bundle = self._waiting[model], self._bundles[model]
        while waiting:
            batch = waiting[: self._limits.batch]
            del waiting[: len(batch)]
            jobs = [ready for ready, _ in batch]
            try:
                replies = await loop.run_in_executor(self._answerer, reply_to, jobs, bundle)
            except Exception:
                replies = [UNFORESEEN] * len(batch)
            for (_, future), reply in zip(batch, replies, strict=True):
                if not future.done():
                    future.set_result(reply)
        del self._tasks[model]

    async def close(self) -> None:
        """Let the threads go."""
        self._readers.shutdown(wait=False)
        self._answerer.shutdown(wait=False)
