"""The page, the explorer, the list of models, metrics."""

from __future__ import annotations

from importlib import resources

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response

from fashioncnn.serving import describe
from fashioncnn.serving.messages import error
from fashioncnn.serving.responses import as_json
from fashioncnn.serving.state import Refused, Server

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


def add_pages(app: FastAPI, server: Server) -> None:
    """Add what people and monitors look at."""

    @app.get("/models", responses=describe.OBJECT)
    async def models() -> Response:
        """List the models by name; the first answers where none is named."""
        return as_json({"models": list(server.facts)})

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
