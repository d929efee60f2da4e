"""The worker as the server sees it: asked, watched, started again, exchanged."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import PIPE
from typing import Any

from fashioncnn.errors import ServingError
from fashioncnn.serving import worker
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.log import Log
from fashioncnn.serving.messages import Job, Reply, error, pack, read_async

START_SECONDS = 60.0
# A job that ends the worker twice is not given to a third one.
TRIES = 2
LOST = error(503, "the process that answers was lost; ask again")
SLOW = error(503, "no answer in time; ask again")


class Lost(Exception):
    """The process ended before it had answered."""


@dataclass
class _Process:
    """One process, and who waits for its replies."""

    process: Process
    pending: dict[int, asyncio.Future[Reply]] = field(default_factory=dict)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    last_answer: float = field(default_factory=time.monotonic)

    async def ask(self, number: int, job: Job) -> Reply:
        assert self.process.stdin
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.pending[number] = future
        self.idle.clear()
        try:
            self.process.stdin.write(pack(number, job))
            return await future
        except (ConnectionError, RuntimeError):
            raise Lost from None
        finally:
            self.pending.pop(number, None)
            if not self.pending:
                self.idle.set()

    async def listen(self) -> None:
        """Hand replies on until the process ends; then tell those who wait that it is lost."""
        assert self.process.stdout
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                number, head, body = await read_async(self.process.stdout)
                future = self.pending.get(number)
                if future and not future.done():
                    future.set_result(reply := Reply(body=body, **head))
                    if reply.batch:
                        self.last_answer = time.monotonic()
        for future in self.pending.values():
            if not future.done():
                future.set_exception(Lost())

    async def end(self, seconds: float) -> None:
        """Close its input, which lets it finish what it has; wait for it so long, then kill it."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            async with asyncio.timeout(seconds):
                await self.process.wait()
        except TimeoutError:
            self.kill()
            await self.process.wait()

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()


class Workers:
    """Keeps one process that answers, for `bundles` by name; `log` hears of what happens."""

    def __init__(
        self,
        bundles: dict[str, Path],
        limits: Limits,
        threads: int,
        log: Log,
    ) -> None:
        self._bundles, self._limits, self._threads = bundles, limits, threads
        self._log = log
        self._numbers = itertools.count()
        self._current: _Process | None = None
        self._here = asyncio.Event()
        self._launching = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self.restarts = 0
        # Asked once another process is there, before it is given anything to answer.
        self.after_restart: Callable[[], Awaitable[None]] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a process is there to answer."""
        return self._here.is_set()

    async def start(self) -> None:
        """Start the process. Raises ServingError when it cannot open its bundles."""
        self._take(await self._launch())

    async def ask(self, job: Job) -> Reply:
        """Return the reply to a job; 503 where the process is lost twice, or is too slow."""
        asked: _Process | None = None
        job = replace(job, until=time.monotonic() + self._limits.answer_seconds)
        try:
            async with asyncio.timeout(self._limits.answer_seconds):
                for _ in range(TRIES):
                    await self._here.wait()
                    asked = self._current
                    assert asked
                    with contextlib.suppress(Lost):
                        return await asked.ask(next(self._numbers), job)
                return LOST
        except TimeoutError:
            # One that answered nobody all the while hangs; else it has more to do than it can.
            if asked and time.monotonic() - asked.last_answer >= self._limits.answer_seconds:
                asked.kill()
            return SLOW

    async def reload(self) -> None:
        """Open the bundles anew in a second process, and let the first finish what it has.

        Raises ServingError when they cannot be opened; the first goes on then.
        """
        async with self._launching:
            fresh, before = await self._launch(), self._current
            if self._closing:
                fresh.kill()
                return
            self._take(fresh)
        if before:
            if before.pending:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._limits.answer_seconds):
                        await before.idle.wait()
            await before.end(self._limits.answer_seconds)

    async def close(self) -> None:
        """End the process, once it has answered what it was asked."""
        self._closing = True
        self._here.clear()
        if self._current:
            await self._current.end(self._limits.drain_seconds)
        if self._tasks:
            # What the process wrote at its end.
            await asyncio.wait(self._tasks, timeout=1)
        for task in list(self._tasks):
            task.cancel()

    async def _launch(self) -> _Process:
        process = await asyncio.create_subprocess_exec(
            *worker.command(), stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=1 << 20
        )
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._begin(self._hear(process.stderr))
        process.stdin.write(worker.first_line(self._bundles, self._limits, self._threads))
        told = {}
        try:
            async with asyncio.timeout(START_SECONDS):
                told = json.loads(await process.stdout.readline() or b"{}")
        except TimeoutError:
            pass
        finally:
            if "ready" not in told:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if "ready" not in told:
            raise ServingError(told.get("error", "the process that answers did not start"))
        return _Process(process)

    def _take(self, fresh: _Process) -> None:
        self._current = fresh
        self._here.set()
        self._begin(self._watch(fresh))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hear(self, stream: asyncio.StreamReader) -> None:
        """Bring what a process writes beside its replies to the log."""
        while True:
            try:
                line = await stream.readline()
            except ValueError:
                # A line without end: what has come of it is gone.
                continue
            if not line:
                return
            self._log.text(line.decode(errors="replace").rstrip())

    async def _watch(self, watched: _Process) -> None:
        """Listen to a process, and start another where it ends unasked."""
        await watched.listen()
        if watched is self._current:
            # At once: nobody may be given to a process that no longer listens.
            self._here.clear()
        await watched.process.wait()
        if self._closing or watched is not self._current:
            return
        self.restarts += 1
        ended = f"the process that answers ended ({watched.process.returncode}); starting anew"
        self._log({"event": ended})
        pause = 0.1
        while not self._closing:
            async with self._launching:
                if watched is not self._current:
                    # Exchanged meanwhile.
                    return
                try:
                    fresh = await self._launch()
                    if self.after_restart:
                        await self.after_restart()
                    self._take(fresh)
                except (ServingError, OSError) as wrong:
                    self._log({"event": str(wrong)})
                else:
                    return
            await asyncio.sleep(pause)
            pause = min(2 * pause, 5.0)
