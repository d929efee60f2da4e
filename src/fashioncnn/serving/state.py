"""The server behind every address: bundles, who answers, bounds, what waits now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from fashioncnn.bundles.facts import Facts
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.messages import Job, Reply, error
from fashioncnn.serving.metrics import Metrics
from fashioncnn.serving.responses import to_response
from fashioncnn.serving.token import check_token


class Answering(Protocol):
    """Who answers: a process of its own (`workers`), or this one (`in_process`)."""

    restarts: int

    @property
    def is_ready(self) -> bool:
        """Whether it can answer now."""

    async def ask(self, job: Job) -> Reply:
        """Return the reply to a job."""

    async def close(self) -> None:
        """Finish what was asked, and end."""


class Refused(Exception):
    """A request that is not passed on."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


@dataclass
class Server:
    """One server: its bundles' facts by name, who answers, bounds, a secret, where it logs.

    The first bundle answers where none is named. `pages` are those in which networks run, by name.
    """

    facts: dict[str, Facts]
    workers: Answering
    limits: Limits
    log: Callable[[dict[str, Any]], None]
    token: str | None = None
    # Browsers send the name that a page was asked by: another one may have been bent to here.
    loopback_names_only: bool = False
    pages: dict[str, bytes] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)
    waiting: int = 0
    bytes_held: int = 0

    def __post_init__(self) -> None:
        check_token(self.token)

    @property
    def first(self) -> str:
        """The name of the bundle that answers where none is named."""
        return next(iter(self.facts))

    def known(self, model: str | None) -> str:
        """Return a bundle's name. Raises Refused with 404 where there is none of it."""
        name = self.first if model is None else model
        if name not in self.facts:
            names = ", ".join(self.facts)
            raise Refused(error(404, f"no model {name[:64]!r}; there are: {names}"))
        return name

    async def ask(self, request: Request, make: Callable[[bytes], Job]) -> Response:
        """Read a request's body within bounds, and have the job made of it answered."""
        held = [0]
        try:
            body = await self._body(request, held)
            if self.waiting >= self.limits.queue:
                raise Refused(_busy("too many requests wait already"))
            self.waiting += 1
            try:
                reply = await self.workers.ask(make(body))
            finally:
                self.waiting -= 1
        finally:
            self.bytes_held -= held[0]
        model = make(b"").model
        for answer, count in reply.answers.items():
            self.metrics.answers.labels(model, answer).inc(count)
        if reply.batch:
            self.metrics.batch.observe(reply.batch)
        return to_response(reply)

    async def _body(self, request: Request, held: list[int]) -> bytes:
        limit = self.limits.body_bytes
        too_large = error(413, f"the body is larger than {limit:,} bytes")
        # As long as a client likes, zeros in front.
        length = request.headers.get("content-length", "").lstrip("0")
        if len(length) > 18 or int(length or 0) > limit:
            raise Refused(too_large)
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                async for part in request.stream():
                    held[0] += len(part)
                    self.bytes_held += len(part)
                    if held[0] > limit:
                        raise Refused(too_large)
                    if self.bytes_held > self.limits.queue_bytes:
                        raise Refused(_busy("the requests that wait are too large together"))
                    parts.append(part)
        except TimeoutError:
            words = f"the body did not arrive within {self.limits.body_seconds:g} s"
            raise Refused(error(408, words)) from None
        return b"".join(parts)


def _busy(words: str) -> Reply:
    return error(429, f"{words}; ask again in a moment")
