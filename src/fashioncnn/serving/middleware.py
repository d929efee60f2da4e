"""What happens around every request: its id, the secret, counters, a line in the log."""

from __future__ import annotations

import hmac
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect

from fashioncnn.serving.loopback import names_loopback
from fashioncnn.serving.messages import error
from fashioncnn.serving.responses import to_response
from fashioncnn.serving.state import Server

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The page, and whether the server lives, are no secret.
PAGE_PATHS = ("/", "/ask", "/page.js", "/page.css", "/models")
OPEN_PATHS = (*PAGE_PATHS, "/v2/health/live", "/v2/health/ready")


class Around:
    """What happens around every request: its id, the secret, counters, a line in the log."""

    def __init__(self, app: Callable[..., Awaitable[None]], server: Server) -> None:
        self._app, self._server = app, server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        if method == "HEAD":
            # As GET; whoever speaks HTTP leaves the body out.
            scope = scope | {"method": "GET"}
        started = time.perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        identity = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        status = 499

        async def send_on(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", identity.encode()),
                    # A body that was not read to its end cannot be followed by another request.
                    *([(b"connection", b"close")] if status >= 400 else ()),
                ]
            await send(message)

        try:
            if not self._is_meant(headers):
                reply = error(403, "without a token, only Host: localhost is answered")
                await to_response(reply)(scope, receive, send_on)
            elif self._may_enter(scope["path"], headers):
                await self._app(scope, receive, send_on)
            else:
                reply = error(401, "a bearer token is needed")
                response = to_response(reply, {"WWW-Authenticate": "Bearer"})
                await response(scope, receive, send_on)
        except ClientDisconnect:
            pass
        finally:
            self._note(scope, method, identity, status, time.perf_counter() - started)

    def _may_enter(self, path: str, headers: dict[bytes, bytes]) -> bool:
        token = self._server.token
        if token is None or path in OPEN_PATHS:
            return True
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(given, token.encode())

    def _is_meant(self, headers: dict[bytes, bytes]) -> bool:
        """Say whether a request names this machine, where it answers this machine alone."""
        host = headers.get(b"host", b"localhost").decode("latin-1")
        return not self._server.loopback_names_only or names_loopback(host)

    def _note(self, scope: Any, method: str, identity: str, status: int, seconds: float) -> None:
        route = scope.get("route")
        path = route.path if route is not None else "other"
        metrics = self._server.metrics
        metrics.requests.labels(path, str(status)).inc()
        metrics.seconds.labels(path).observe(seconds)
        self._server.log(
            {
                "event": "request",
                "id": identity,
                "method": method,
                "path": scope["path"][:200],
                "status": status,
                "milliseconds": round(1000 * seconds, 2),
            }
        )
