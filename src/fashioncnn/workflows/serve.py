"""serve: bundles over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from fashioncnn.console.say import say
from fashioncnn.errors import ServingError
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.loopback import is_loopback
from fashioncnn.serving.named import named
from fashioncnn.serving.token import check_token


def serve(
    bundles: Path | str | Sequence[Path | str],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    limits: Limits | None = None,
    threads: int = 1,
    token: str | None = None,
    log_requests: bool = True,
) -> None:
    """Answer over HTTP until SIGTERM or Ctrl-C.

    `bundles` are folders, or NAME=FOLDER; without a name they are called as their recipes are.
    With `token`, clients have to bring it. Raises BundleError or ServingError where the server
    cannot start.
    """
    places = named([bundles] if isinstance(bundles, str | Path) else bundles)
    if not 0 <= port < 1 << 16:
        raise ServingError(f"port is {port}; it must be 0 to 65,535")
    if not host:
        raise ServingError("host is empty; 0.0.0.0 is reached from everywhere")
    check_token(token)
    if token is None and not is_loopback(host):
        say(f"{host} can be reached from other machines, and no token is asked for")
    if find_spec("cv2") is None:
        say("photographs are refused, tensors answered: pip install 'fashioncnn[photos]'")
    # Here, as FastAPI takes a while to import.
    from fashioncnn.serving.log import Log
    from fashioncnn.serving.server import run

    log = Log(sys.stderr.fileno(), requests=log_requests)
    with log.messages(), contextlib.closing(log):
        asyncio.run(
            run(
                places,
                host=host,
                port=port,
                limits=limits or Limits(),
                threads=threads,
                token=token,
                log=log,
            )
        )
