"""The Open Inference Protocol, version 2: requests with tensors, and answers.

https://github.com/open-inference/open-inference-protocol: JSON, and the extension for tensors as
bytes behind it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.bundles.bundle import EMBEDDING, ENERGY, INPUT, LOGITS, PROBABILITIES
from fashioncnn.bundles.facts import Facts
from fashioncnn.runs.files import parse_json

ALWAYS = (LOGITS, PROBABILITIES, ENERGY, EMBEDDING)
HEAD_SIZE = "Inference-Header-Content-Length"


class WrongRequest(ValueError):
    """A request that cannot be answered; the message is for its sender."""


@dataclass(frozen=True)
class Asked:
    """Pictures (n, h, w, c), which outputs are wanted, and which of those as bytes."""

    images_NHWC: NDArray[np.uint8]
    outputs: tuple[str, ...]
    as_bytes: frozenset[str]
    id: str | None


def metadata(facts: Facts) -> dict[str, Any]:
    """Return what /v2/models/NAME says."""
    shape = [-1, facts.height, facts.width, facts.channels]
    sizes = {LOGITS: [len(facts.class_names)], PROBABILITIES: [len(facts.class_names)]}
    sizes |= {ENERGY: [], EMBEDDING: [facts.features]}
    return {
        "name": facts.name,
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": shape}],
        "outputs": [
            {"name": name, "datatype": "FP32", "shape": [-1, *size]} for name, size in sizes.items()
        ],
    }


def parse(body: bytes, head_bytes: int | None, facts: Facts, most_pictures: int) -> Asked:
    """Read a request. Raises WrongRequest, naming what is wrong with it."""
    if head_bytes is not None and not 0 <= head_bytes <= len(body):
        raise WrongRequest(f"{HEAD_SIZE} is {head_bytes}; the body has {len(body)} bytes")
    head, rest = (body, b"") if head_bytes is None else (body[:head_bytes], body[head_bytes:])
    try:
        told = parse_json(head)
    except (ValueError, RecursionError):
        raise WrongRequest("the body is not JSON, or nested too deeply") from None
    inputs = told.get("inputs") if isinstance(told, dict) else None
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise WrongRequest(f"inputs must be a list with one tensor, {INPUT!r}")
    (given,) = inputs
    identity = told.get("id")
    if identity is not None and (not isinstance(identity, str) or len(identity) > 256):
        raise WrongRequest("id must be a string of at most 256 letters")
    images = _images(given, rest, facts, most_pictures)
    outputs, as_bytes = _outputs(told, facts)
    return Asked(images, outputs, as_bytes, identity)


def _images(
    given: dict[str, Any], rest: bytes, facts: Facts, most_pictures: int
) -> NDArray[np.uint8]:
    if given.get("name") != INPUT or given.get("datatype") != "UINT8":
        raise WrongRequest(f"the input must be {INPUT!r} of datatype UINT8")
    shape, size = given.get("shape"), (facts.height, facts.width, facts.channels)
    whole = isinstance(shape, list) and all(type(side) is int for side in shape)
    if not whole or shape is None or tuple(shape[1:]) != size or len(shape) != 4:
        raise WrongRequest(f"shape must be [n, {', '.join(map(str, size))}]")
    if not 1 <= shape[0] <= most_pictures:
        raise WrongRequest(
            f"{str(shape[0])[:20]} pictures; 1 to {most_pictures} are answered at once"
        )
    numbers = math.prod(shape)
    parameters = given.get("parameters") or {}
    told = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if told is not None or "data" not in given:
        if told != numbers or len(rest) != numbers:
            raise WrongRequest(
                f"the tensor has {numbers} bytes by its shape, {len(rest)} follow the JSON, and "
                f"binary_data_size says {told if type(told) is int else 'nothing'}"
            )
        return np.frombuffer(rest, np.uint8).reshape(shape)
    flat = _flat(given["data"], numbers)
    return np.array(flat, np.uint8).reshape(shape)


def _flat(data: Any, numbers: int) -> list[int]:
    """Return the numbers of nested lists in order; all must be whole, 0 to 255."""
    while isinstance(data, list) and data and all(isinstance(one, list) for one in data):
        data = [number for one in data for number in one]
        if len(data) > numbers:
            break
    if not isinstance(data, list) or len(data) != numbers:
        raise WrongRequest(f"data must hold {numbers} numbers, as shape says")
    if not all(type(one) is int and 0 <= one <= 255 for one in data):
        raise WrongRequest("data must be whole numbers, 0 to 255")
    return data


def _outputs(told: dict[str, Any], facts: Facts) -> tuple[tuple[str, ...], frozenset[str]]:
    wants_bytes = _flag(told, "binary_data_output")
    wanted = told.get("outputs")
    if wanted is None:
        return ALWAYS, frozenset(ALWAYS if wants_bytes else ())
    if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
        raise WrongRequest("outputs must be a list of tensors by name")
    names = [one.get("name") for one in wanted]
    known = (*ALWAYS, *facts.maps)
    whole = all(isinstance(name, str) for name in names)
    if (
        not names
        or not whole
        or len(set(map(str, names))) != len(names)
        or not set(names) <= set(known)
    ):
        raise WrongRequest(f"outputs must be among {', '.join(known)}, each once")
    as_bytes = [one["name"] for one in wanted if _flag(one, "binary_data", wants_bytes)]
    return tuple(map(str, names)), frozenset(as_bytes)


def _flag(told: dict[str, Any], name: str, default: bool = False) -> bool:
    parameters = told.get("parameters")
    if parameters is None:
        return default
    if not isinstance(parameters, dict):
        raise WrongRequest("parameters must be an object")
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise WrongRequest(f"{name} must be true or false")
    return value


def answer(
    asked: Asked, model: str, found: Sequence[NDArray[np.float32]]
) -> tuple[bytes, str, dict[str, str]]:
    """Return body, content type and headers for `found`, the outputs that were asked for."""
    outputs, parts = [], []
    for name, values in zip(asked.outputs, found, strict=True):
        told: dict[str, Any] = {"name": name, "datatype": "FP32", "shape": list(values.shape)}
        if name in asked.as_bytes:
            parts.append(np.ascontiguousarray(values, "<f4").tobytes())
            told["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            told["data"] = values.ravel().tolist()
        outputs.append(told)
    head: dict[str, Any] = {"model_name": model, "model_version": "1", "outputs": outputs}
    if asked.id is not None:
        head["id"] = asked.id
    encoded = json.dumps(head, allow_nan=False).encode()
    if not parts:
        return encoded, "application/json", {}
    return (
        b"".join([encoded, *parts]),
        "application/octet-stream",
        {HEAD_SIZE: str(len(encoded))},
    )
