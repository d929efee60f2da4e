"""The Open Inference Protocol, version 2: health, what a model takes, tensors."""

from __future__ import annotations

import re

from fastapi import FastAPI, Request
from fastapi.responses import Response

from fashioncnn.serving import describe, tensors
from fashioncnn.serving.messages import Job, error
from fashioncnn.serving.responses import as_json
from fashioncnn.serving.state import Refused, Server
from fashioncnn.version import VERSION


def add_inference(app: FastAPI, server: Server) -> None:
    """Add the addresses below /v2."""
    _add_health(app, server)
    _add_models(app, server)
    _add_infer(app, server)


def _add_health(app: FastAPI, server: Server) -> None:
    @app.get("/v2", responses=describe.OBJECT)
    async def about() -> Response:
        """Say which server this is."""
        return as_json(
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


def _add_models(app: FastAPI, server: Server) -> None:
    @app.get("/v2/models/{model}", responses=describe.OBJECT)
    @app.get("/v2/models/{model}/versions/{version}", responses=describe.OBJECT)
    async def about_model(model: str, version: str = "1") -> Response:
        """Say what a model takes and returns."""
        return as_json(tensors.metadata(server.facts[_versioned(server, model, version)]))

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
        return as_json(server.facts[server.known(model)].model_dump(mode="json"))


def _add_infer(app: FastAPI, server: Server) -> None:
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


def _versioned(server: Server, model: str, version: str) -> str:
    name = server.known(model)
    if version != "1":
        raise Refused(error(404, f"{name} has the version 1 alone"))
    return name
