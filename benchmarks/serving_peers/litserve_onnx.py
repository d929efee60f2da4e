"""LitServe with its own batching, over the same ONNX file."""

import io
import os
from typing import Any

import litserve as ls
import numpy as np
import onnxruntime
from fastapi import Request
from PIL import Image

from fashioncnn.bundles.bundle import open_bundle


class Predictor(ls.LitAPI):  # type: ignore[misc]
    """Reads, answers together, tells."""

    def setup(self, device: str) -> None:
        """Open the bundle."""
        del device
        bundle = open_bundle(os.environ["BUNDLE"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.names = bundle.class_names
        self.session = onnxruntime.InferenceSession(bundle.model, options)

    def decode_request(self, request: Request) -> Any:
        """Return the picture's pixels; the request comes as its form."""
        content = request["files"].file.read()
        return np.asarray(Image.open(io.BytesIO(content)).convert("L"))[..., None]

    def batch(self, inputs: list[Any]) -> Any:
        """Put pictures together."""
        return np.stack(inputs)

    def predict(self, images: Any) -> Any:
        """Return probabilities."""
        return self.session.run(["probabilities"], {"images": images})[0]

    def unbatch(self, output: Any) -> list[Any]:
        """Take answers apart."""
        return list(output)

    def encode_response(self, output: Any) -> dict[str, object]:
        """Tell one answer."""
        best = int(output.argmax())
        return {"class": self.names[best], "probability": float(output[best])}


if __name__ == "__main__":
    api = Predictor(max_batch_size=64, batch_timeout=0.002)
    server = ls.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=60)
    server.run(port=int(os.environ["PORT"]), generate_client_file=False, log_level="error")
