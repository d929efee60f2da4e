"""The plain way: a FastAPI handler that runs the network in PyTorch, a picture at a time."""

from __future__ import annotations

import io
import os

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, UploadFile
from PIL import Image

import fashioncnn as fc

trained = fc.load(os.environ["RUN"], device="cpu")
network, names = trained.network, trained.class_names
app = FastAPI()


@app.post("/predict")
async def predict(files: UploadFile) -> dict[str, object]:
    """Answer one picture, a grey PNG."""
    pixels = np.asarray(Image.open(io.BytesIO(await files.read())).convert("L"))
    with torch.inference_mode():
        logits = network(trained.prepared(pixels[None, ..., None]))
        probabilities = torch.softmax(logits, 1)[0]
    best = int(probabilities.argmax())
    return {"class": names[best], "probability": float(probabilities[best])}


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["PORT"]), log_level="error")
