"""Predicting: one picture as the body, or several as a form."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from fashioncnn.serving import describe
from fashioncnn.serving.messages import Job
from fashioncnn.serving.state import Server


def add_predict(app: FastAPI, server: Server) -> None:
    """Add /predict."""

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
