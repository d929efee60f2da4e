"""serve: bundles over HTTP."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path

from fashioncnn.bundles.bundle import open_bundle
from fashioncnn.console.say import say
from fashioncnn.errors import ServingError
from fashioncnn.serving.limits import Limits

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def serve(
    bundles: Sequence[Path | str],
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
    named = _named(bundles)
    if token is not None and not re.fullmatch(r"[\x21-\x7e]{1,512}", token):
        raise ServingError("the token must be 1 to 512 letters of ASCII, without spaces")
    if token is None and not _is_loopback(host):
        say(f"{host} can be reached from other machines, and no token is asked for")
    # Here, as FastAPI takes a while to import.
    from fashioncnn.serving.server import run

    run(
        named,
        host=host,
        port=port,
        limits=limits or Limits(),
        threads=threads,
        token=token,
        log_requests=log_requests,
    )


def _named(bundles: Sequence[Path | str]) -> dict[str, Path]:
    """Return the places of bundles by the names that they are served under."""
    if not bundles:
        raise ServingError("name a bundle, or several")
    named: dict[str, Path] = {}
    for given in bundles:
        name, equals, path = str(given).partition("=")
        if not equals or not NAME.fullmatch(name):
            name, path = "", str(given)
        name = name or open_bundle(path).facts.name
        if name in named:
            raise ServingError(f"two bundles are called {name}: give one as NAME={path}")
        named[name] = Path(path)
    return named


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
