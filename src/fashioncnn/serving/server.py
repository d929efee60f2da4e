"""Running the server: signals, connections, the log."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fashioncnn.bundles.bundle import open_bundle
from fashioncnn.bundles.facts import Facts
from fashioncnn.errors import FashionCNNError, ServingError
from fashioncnn.serving.app import Server, make_app
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.log import Log
from fashioncnn.serving.named import told
from fashioncnn.serving.workers import Workers

TOO_LARGE = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


async def run(
    bundles: dict[str, Path],
    *,
    host: str,
    port: int,
    limits: Limits,
    threads: int,
    token: str | None,
    log: Log,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then answer what was accepted, and return.

    SIGHUP opens the bundles anew. Raises ServingError where the server cannot start.
    """
    listening = _listen(host, port)
    _allow_files(limits.connections)
    workers = Workers(bundles, limits, threads, log)
    # The worker opens the bundles while this process reads what they say.
    starting = asyncio.create_task(workers.start())
    await asyncio.sleep(0)
    try:
        facts, pages = _told(bundles)
        server = Server(facts, workers, limits, log, token, pages)
        await starting
    except FashionCNNError:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await workers.close()
        listening.close()
        raise
    config = uvicorn.Config(
        make_app(server),
        http=_protocol(limits),
        loop="asyncio",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=limits.connections,
        backlog=128,
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=limits.drain_seconds,
    )
    _reload_on_sighup(server, workers, bundles, log)
    address = f"http://{host if ':' not in host else f'[{host}]'}:{listening.getsockname()[1]}"
    log({"event": "serving", "address": address, "models": list(bundles)})
    await _Gently(config).serve(sockets=[listening])
    log({"event": "stopped"})


class _Gently(uvicorn.Server):
    """Ends well when it is told to: uvicorn's own would die of the signal once all is done."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop accepting at SIGTERM or Ctrl-C; a second one leaves what is not answered yet."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _allow_files(connections: int) -> None:
    """Let the process have as many connections as it accepts, where the system allows it."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 128
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def _told(bundles: dict[str, Path]) -> tuple[dict[str, Facts], dict[str, bytes]]:
    return told({name: open_bundle(path) for name, path in bundles.items()})


def _listen(host: str, port: int) -> socket.socket:
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, as asyncio sends without delay only where the protocol is.
    listening = socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as wrong:
        listening.close()
        raise ServingError(f"{host}:{port} cannot be had: {wrong.strerror or wrong}") from None
    listening.listen(2048)
    return listening


def _reload_on_sighup(server: Server, workers: Workers, bundles: dict[str, Path], log: Log) -> None:
    tasks: set[asyncio.Task[None]] = set()

    async def reload() -> None:
        try:
            facts, pages = await asyncio.to_thread(_told, bundles)
            await workers.reload()
            server.facts, server.pages = facts, pages
        except FashionCNNError as wrong:
            log({"event": "not reloaded", "error": str(wrong)})
        else:
            log({"event": "reloaded", "models": list(bundles)})

    def begin() -> None:
        task = asyncio.create_task(reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    if hasattr(signal, "SIGHUP"):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, begin)


def _protocol(limits: Limits) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol with bounds: on heads, and on clients that do not read."""

    class Bounded(HttpToolsProtocol):
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
            if self._in_head and self._head_bytes > limits.head_bytes:
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
            self._stalled = self.loop.call_later(limits.body_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            self._stop("_stalled")
            super().resume_writing()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop("_timer")
            self._stop("_stalled")
            super().connection_lost(exc)

        def _wait_for_head(self) -> None:
            self._timer = self.loop.call_later(limits.head_seconds, self._end, TOO_SLOW)

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

    return Bounded
