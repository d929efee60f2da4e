"""HTTP connections with bounds."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fashioncnn.serving.limits import Limits

TOO_LARGE = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class _Bounded(HttpToolsProtocol):
    """Bounds on heads, and on clients that do not read."""

    limits: Limits
    _timer: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > self.limits.head_bytes:
            self._end(TOO_LARGE)
        elif self._timer is None and (self.cycle is None or self.cycle.response_complete):
            # Whatever comes when nothing is asked has to become a request in time.
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop("_timer")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._head_bytes = True, 0

    def pause_writing(self) -> None:
        super().pause_writing()
        # A client that does not read is left.
        self._stalled = self.loop.call_later(self.limits.body_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop("_stalled")
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop("_timer")
        self._stop("_stalled")
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._timer = self.loop.call_later(self.limits.head_seconds, self._end, TOO_SLOW)

    def _stop(self, name: str) -> None:
        if timer := getattr(self, name):
            timer.cancel()
            setattr(self, name, None)

    def _end(self, answer: bytes) -> None:
        self._stop("_timer")
        if not self.transport.is_closing():
            # While an answer is on its way, no other may come before it.
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(answer)
            self.transport.close()


def bounded(limits: Limits) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol with these limits."""
    return type("Bounded", (_Bounded,), {"limits": limits})
