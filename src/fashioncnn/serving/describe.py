"""What the OpenAPI description says of bodies and answers, with examples."""

from __future__ import annotations

from typing import Any

Responses = dict[int | str, dict[str, Any]]

_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
    "example": {"error": "picture: not a picture, or damaged"},
}


def _json(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _refusals(**words: str) -> Responses:
    return {int(code.removeprefix("s")): _json(_ERROR, said) for code, said in words.items()}


EVERYWHERE: Responses = _refusals(
    s401="A bearer token is needed.",
    s404="There is no such model.",
    s422="A parameter is not as described, or no file could be read.",
    s503="No answer can be given now; ask again after Retry-After seconds.",
)
_BODIES: Responses = _refusals(
    s400="The body is not as described.",
    s408="The body did not arrive in time.",
    s413="The body is too large.",
    s429="Too many wait already; ask again after Retry-After seconds.",
)
OBJECT: Responses = {200: _json({"type": "object"}, "As the protocol says.")}
EMPTY: Responses = {200: {"description": "Yes."}}
READY: Responses = {**EMPTY, 503: {"description": "Not now."}}
TEXT: Responses = {
    200: {"description": "Counters.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}

_PICTURE: dict[str, Any] = {
    "type": "object",
    "required": ["picture", "answer", "probabilities", "energy", "warnings", "fault"],
    "properties": {
        "picture": {"type": "string", "description": "The file's name."},
        "answer": {"type": ["string", "null"], "description": "null where it is not sure."},
        "probabilities": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["class", "probability"],
                "properties": {
                    "class": {"type": "string"},
                    "probability": {"type": "number", "minimum": 0, "maximum": 1},
                },
            },
        },
        "energy": {"type": ["number", "null"], "description": "Low for unknown pictures."},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "fault": {"type": ["string", "null"], "description": "Why it could not be read."},
    },
}
PREDICT: Responses = {
    200: _json(
        {
            "type": "object",
            "required": ["model", "pictures"],
            "properties": {
                "model": {"type": "string"},
                "pictures": {"type": "array", "items": _PICTURE},
            },
            "example": {
                "model": "photo",
                "pictures": [
                    {
                        "picture": "dress.jpg",
                        "answer": "Dress",
                        "probabilities": [{"class": "Dress", "probability": 0.93}],
                        "energy": 8.1,
                        "warnings": [],
                        "fault": None,
                    }
                ],
            },
        },
        "An answer for each file.",
    ),
    **_BODIES,
    **_refusals(s415="The body holds no picture."),
}
_FILE = {"type": "string", "format": "binary"}
PREDICT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/png": {"schema": _FILE},
            "image/jpeg": {"schema": _FILE},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {"files": {"type": "array", "items": _FILE, "minItems": 1}},
                }
            },
        },
    }
}

_TENSOR: dict[str, Any] = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "datatype": {"type": "string"},
        "parameters": {"type": "object"},
        "data": {"type": "array"},
    },
}
INFER: Responses = {
    200: {
        "description": "The outputs; as bytes behind JSON where that is asked for.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["model_name", "outputs"],
                    "properties": {
                        "model_name": {"type": "string"},
                        "model_version": {"type": "string"},
                        "id": {"type": "string"},
                        "outputs": {"type": "array", "items": _TENSOR},
                    },
                }
            },
            "application/octet-stream": {"schema": _FILE},
        },
    },
    **_BODIES,
}
INFER_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "properties": {
                        "id": {"type": "string", "maxLength": 256},
                        "parameters": {"type": "object"},
                        "inputs": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 1,
                            "items": _TENSOR,
                        },
                        "outputs": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "parameters": {"type": "object"},
                                },
                            },
                        },
                    },
                    "example": {
                        "inputs": [
                            {
                                "name": "images",
                                "shape": [1, 28, 28, 1],
                                "datatype": "UINT8",
                                "data": [0] * 784,
                            }
                        ],
                        "outputs": [{"name": "probabilities"}],
                    },
                }
            }
        },
    }
}
