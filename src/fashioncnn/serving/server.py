"""Running the server: signals, connections, the log."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from fashioncnn.bundles.bundle import open_bundle
from fashioncnn.bundles.facts import Facts
from fashioncnn.errors import FashionCNNError, ServingError
from fashioncnn.serving.app import make_app
from fashioncnn.serving.connections import bounded
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.log import Log
from fashioncnn.serving.loopback import is_loopback
from fashioncnn.serving.named import told
from fashioncnn.serving.state import Server
from fashioncnn.serving.workers import Workers


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
        here_alone = token is None and is_loopback(host)
        server = Server(facts, workers, limits, log, token, here_alone, pages)
        await starting
    except FashionCNNError:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await workers.close()
        listening.close()
        raise

    async def read_anew() -> None:
        # A process that starts anew opens what lies there now.
        try:
            server.facts, server.pages = await asyncio.to_thread(_told, bundles)
        except FashionCNNError as wrong:
            log({"event": "not read anew", "error": str(wrong)})

    workers.after_restart = read_anew
    _reload_on_sighup(server, workers, bundles, log)
    address = f"http://{host if ':' not in host else f'[{host}]'}:{listening.getsockname()[1]}"
    log({"event": "serving", "address": address, "models": list(bundles)})
    await _Gently(_config(server)).serve(sockets=[listening])
    log({"event": "stopped"})


def _config(server: Server) -> uvicorn.Config:
    limits = server.limits
    return uvicorn.Config(
        make_app(server),
        http=bounded(limits),
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
