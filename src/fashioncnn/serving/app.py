"""The server's application: its routes, what is around them, and errors in one form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from fashioncnn.serving import describe
from fashioncnn.serving.messages import error
from fashioncnn.serving.middleware import Around
from fashioncnn.serving.responses import to_response
from fashioncnn.serving.routes.inference import add_inference
from fashioncnn.serving.routes.pages import add_pages
from fashioncnn.serving.routes.predict import add_predict
from fashioncnn.serving.state import Refused, Server
from fashioncnn.version import VERSION


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
        redirect_slashes=False,
        redoc_url=None,
        lifespan=life,
        responses=describe.EVERYWHERE,
    )
    app.add_middleware(Around, server=server)
    _errors(app)
    add_predict(app, server)
    add_inference(app, server)
    add_pages(app, server)
    return app


def _errors(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(request: Request, wrong: Refused) -> Response:
        del request
        return to_response(wrong.reply)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, wrong: RequestValidationError) -> Response:
        del request
        first = wrong.errors()[0]
        return to_response(error(422, f"{first['loc'][-1]}: {first['msg'][:200]}"))

    @app.exception_handler(HTTPException)
    async def http(request: Request, wrong: HTTPException) -> Response:
        del request
        return to_response(error(wrong.status_code, str(wrong.detail)), dict(wrong.headers or {}))
