"""Which part of the package brings a module that is not installed."""

from __future__ import annotations

from fashioncnn.errors import ExtraError

EXTRAS = {
    "photos": ("cv2",),
    "evaluate": ("scipy", "pooch", "requests"),
    "serve": (
        "fastapi",
        "uvicorn",
        "httptools",
        "python_multipart",
        "prometheus_client",
        "starlette",
    ),
    "train": (
        *("torch", "captum", "cleanlab", "jinja2", "lightning_fabric", "matplotlib"),
        *("openTSNE", "optuna", "safetensors", "sqlalchemy", "tomli_w"),
    ),
    "export": ("onnx", "onnx_ir", "onnxscript"),
    "cluster": ("ray",),
}


def missing(error: ModuleNotFoundError) -> ExtraError | None:
    """Say which extra to install, or None for a module that none of them brings."""
    name = (error.name or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if name in modules:
            return ExtraError(
                f"this needs {name}, which is not installed: pip install 'fashioncnn[{extra}]'"
            )
    return None
