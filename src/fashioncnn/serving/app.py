"""The server's addresses: predicting, the Open Inference Protocol, health, metrics, a page."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fashioncnn.bundles.facts import Facts
from fashioncnn.serving import describe, tensors
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.messages import Job, Reply, error
from fashioncnn.serving.metrics import Metrics
from fashioncnn.version import VERSION

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
RETRY = {"Retry-After": "1"}
PAGE = {"ask": "text/html", "page.js": "text/javascript", "page.css": "text/css"}
# Nothing from elsewhere; pictures that the page itself holds.
POLICY = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'"
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# The explorer is its maker's page: it has no part in this address, and its policy has digests of
# the scripts that it may run.
EXPLORER_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; worker-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-scripts allow-downloads"
)
EXPLORER_HEADERS = PAGE_HEADERS | {"Content-Security-Policy": EXPLORER_POLICY}
JSON = "application/json"
# The page, and whether the server lives, are no secret.
PAGE_PATHS = ("/", "/ask", "/page.js", "/page.css", "/models")
OPEN_PATHS = (*PAGE_PATHS, "/v2/health/live", "/v2/health/ready")


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
    pages: dict[str, bytes] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)
    waiting: int = 0
    bytes_held: int = 0

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
        return _response(reply)

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


def make_app(server: Server) -> FastAPI:
    """Return the server's application."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        del app
        yield
        await server.workers.close()

    app = FastAPI(
        title="fashioncnn",
        version=VERSION,
        summary="What a trained network says of small pictures.",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
        responses=describe.EVERYWHERE,
    )
    app.add_middleware(_Around, server=server)
    _errors(app)
    _predicting(app, server)
    _protocol(app, server)
    _around(app, server)
    return app


def _predicting(app: FastAPI, server: Server) -> None:
    @app.post("/predict", responses=describe.PREDICT, openapi_extra=describe.PREDICT_BODY)
    async def predict(
        request: Request,
        model: Annotated[str | None, Query(max_length=64, description="Else the first.")] = None,
        top: Annotated[int, Query(ge=1, le=1000, description="Classes to name.")] = 3,
        not_sure_below: Annotated[
            float | None, Query(ge=0, le=1, description="Less probable answers are not given.")
        ] = None,
    ) -> Response:
        """Say what is on one picture, or on several.

        One as the body, as image/*; several as files of a form. For networks of Fashion-MNIST,
        photographs are converted as `fashioncnn predict` does; a grey picture of the data set's
        own size is taken as it is.
        """
        name = server.known(model)
        kind = request.headers.get("content-type", "")
        return await server.ask(
            request, lambda body: Job("predict", name, body, kind, top, not_sure_below)
        )


def _protocol(app: FastAPI, server: Server) -> None:
    @app.get("/v2", responses=describe.OBJECT)
    async def about() -> Response:
        """Say which server this is."""
        return _json(
            {"name": "fashioncnn", "version": VERSION, "extensions": ["binary_tensor_data"]}
        )

    @app.get("/v2/health/live", responses=describe.EMPTY, response_class=Response)
    async def live() -> Response:
        """Say that the server lives."""
        return Response()

    @app.get("/v2/health/ready", responses=describe.READY, response_class=Response)
    async def ready() -> Response:
        """Say whether it can answer."""
        return Response(status_code=200 if server.workers.is_ready else 503)

    @app.get("/v2/models/{model}", responses=describe.OBJECT)
    @app.get("/v2/models/{model}/versions/{version}", responses=describe.OBJECT)
    async def about_model(model: str, version: str = "1") -> Response:
        """Say what a model takes and returns."""
        return _json(tensors.metadata(server.facts[_versioned(server, model, version)]))

    @app.get("/v2/models/{model}/ready", responses=describe.READY, response_class=Response)
    @app.get(
        "/v2/models/{model}/versions/{version}/ready",
        responses=describe.READY,
        response_class=Response,
    )
    async def model_ready(model: str, version: str = "1") -> Response:
        """Say whether a model can answer."""
        _versioned(server, model, version)
        return Response(status_code=200 if server.workers.is_ready else 503)

    @app.get("/v2/models/{model}/config", responses=describe.OBJECT)
    async def facts(model: str) -> Response:
        """Return everything that is known of a model."""
        return _json(server.facts[server.known(model)].model_dump(mode="json"))

    @app.post(
        "/v2/models/{model}/infer", responses=describe.INFER, openapi_extra=describe.INFER_BODY
    )
    @app.post(
        "/v2/models/{model}/versions/{version}/infer",
        responses=describe.INFER,
        openapi_extra=describe.INFER_BODY,
    )
    async def infer(request: Request, model: str, version: str = "1") -> Response:
        """Answer tensors, as JSON or as bytes behind JSON."""
        name = _versioned(server, model, version)
        size = request.headers.get(tensors.HEAD_SIZE)
        if size is not None and not re.fullmatch(r"[0-9]{1,10}", size):
            raise Refused(error(400, f"{tensors.HEAD_SIZE} must be a number"))
        head_bytes = None if size is None else int(size)
        return await server.ask(
            request, lambda body: Job("infer", name, body, head_bytes=head_bytes)
        )


def _around(app: FastAPI, server: Server) -> None:
    @app.get("/models", responses=describe.OBJECT)
    async def models() -> Response:
        """List the models by name; the first answers where none is named."""
        return _json({"models": list(server.facts)})

    @app.get("/metrics", responses=describe.TEXT, response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Return counters for Prometheus."""
        server.metrics.waiting.set(server.waiting)
        server.metrics.restarts.set(server.workers.restarts)
        return Response(server.metrics.text(), media_type="text/plain; version=0.0.4")

    for path, kind in PAGE.items():
        name = "page.html" if kind == "text/html" else path
        file = resources.files("fashioncnn.serving") / "page" / name
        _page(app, f"/{path}", file.read_bytes(), kind)

    @app.get("/", include_in_schema=False)
    async def first() -> Response:
        # The explorer holds the weights: with a token it is for those who bring it.
        if server.first in server.pages and server.token is None:
            return _explorer(server.pages[server.first])
        return Response(status_code=307, headers={"Location": "/ask"})

    @app.get("/explore/{model}", include_in_schema=False)
    async def explorer(model: str) -> Response:
        name = server.known(model)
        if name not in server.pages:
            raise Refused(error(404, f"{name} has no explorer.html: export it again"))
        return _explorer(server.pages[name])


def _explorer(page: bytes) -> Response:
    return Response(page, media_type="text/html", headers=EXPLORER_HEADERS)


def _page(app: FastAPI, path: str, content: bytes, kind: str) -> None:
    @app.get(path, include_in_schema=False)
    async def page() -> Response:
        return Response(content, media_type=kind, headers=PAGE_HEADERS)


def _versioned(server: Server, model: str, version: str) -> str:
    name = server.known(model)
    if version != "1":
        raise Refused(error(404, f"{name} has the version 1 alone"))
    return name


def _errors(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(request: Request, wrong: Refused) -> Response:
        del request
        return _response(wrong.reply)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, wrong: RequestValidationError) -> Response:
        del request
        first = wrong.errors()[0]
        return _response(error(422, f"{first['loc'][-1]}: {first['msg'][:200]}"))

    @app.exception_handler(HTTPException)
    async def http(request: Request, wrong: HTTPException) -> Response:
        del request
        return _response(error(wrong.status_code, str(wrong.detail)), dict(wrong.headers or {}))


class _Around:
    """What happens around every request: its id, the secret, counters, a line in the log."""

    def __init__(self, app: Callable[..., Awaitable[None]], server: Server) -> None:
        self._app, self._server = app, server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
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
            if self._may_enter(scope["path"], headers):
                await self._app(scope, receive, send_on)
            else:
                reply = error(401, "a bearer token is needed")
                response = _response(reply, {"WWW-Authenticate": "Bearer"})
                await response(scope, receive, send_on)
        except ClientDisconnect:
            pass
        finally:
            self._note(scope, identity, status, time.perf_counter() - started)

    def _may_enter(self, path: str, headers: dict[bytes, bytes]) -> bool:
        token = self._server.token
        if token is None or path in OPEN_PATHS:
            return True
        return hmac.compare_digest(headers.get(b"authorization", b""), b"Bearer " + token.encode())

    def _note(self, scope: Any, identity: str, status: int, seconds: float) -> None:
        route = scope.get("route")
        path = route.path if route is not None else "other"
        metrics = self._server.metrics
        metrics.requests.labels(path, str(status)).inc()
        metrics.seconds.labels(path).observe(seconds)
        self._server.log(
            {
                "event": "request",
                "id": identity,
                "method": scope["method"],
                "path": scope["path"][:200],
                "status": status,
                "milliseconds": round(1000 * seconds, 2),
            }
        )


def _busy(words: str) -> Reply:
    return error(429, f"{words}; ask again in a moment")


def _json(value: object) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), media_type=JSON)


def _response(reply: Reply, headers: dict[str, str] | None = None) -> Response:
    more = RETRY if reply.status in (429, 503) else {}
    return Response(
        reply.body,
        reply.status,
        headers={**reply.headers, **more, **(headers or {})},
        media_type=reply.content_type,
    )
