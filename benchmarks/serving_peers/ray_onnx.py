"""Ray Serve with its own batching, over the same ONNX file."""

from __future__ import annotations

import io
import logging
import os
import signal
from typing import Any

import numpy as np
import onnxruntime
import ray
from PIL import Image
from ray import serve
from starlette.requests import Request

from fashioncnn.bundles.bundle import open_bundle


@serve.deployment(max_ongoing_requests=256)
class Predictor:
    """A replica with one session."""

    def __init__(self, path: str) -> None:
        bundle = open_bundle(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.names = bundle.class_names
        self.session = onnxruntime.InferenceSession(bundle.model, options)

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.002)
    async def answer(self, images: list[Any]) -> list[Any]:
        """Answer pictures together."""
        return list(self.session.run(["probabilities"], {"images": np.stack(images)})[0])

    async def __call__(self, request: Request) -> dict[str, object]:
        """Answer one picture, a file of a form."""
        file = (await request.form())["files"]
        assert not isinstance(file, str)
        pixels = np.asarray(Image.open(io.BytesIO(await file.read())).convert("L"))
        found = await self.answer(pixels[..., None])
        best = int(found.argmax())
        return {"class": self.names[best], "probability": float(found[best])}


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    port = int(os.environ["PORT"])
    serve.start(http_options={"port": port}, logging_config={"log_level": "ERROR"})
    application = Predictor.bind(os.environ["BUNDLE"])  # type: ignore[attr-defined]
    serve.run(application, route_prefix="/predict")
    signal.pause()
