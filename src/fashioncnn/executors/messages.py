"""What travels between an executor and the processes that work for it: lines of JSON."""

from __future__ import annotations

import json
from typing import IO, Any

from fashioncnn import errors
from fashioncnn.errors import FashionCNNError, WorkerError

Message = dict[str, Any]


def send(stream: IO[str], message: Message) -> None:
    """Write a message, at once."""
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def receive(stream: IO[str]) -> Message | None:
    """Return the next message; None when there are no more."""
    line = stream.readline()
    message: Message | None = json.loads(line) if line.endswith("\n") else None
    return message


def pack_error(error: FashionCNNError) -> Message:
    """Return an error as plain values."""
    kinds = (kind.__name__ for kind in type(error).__mro__)
    return {"error": next(kind for kind in kinds if hasattr(errors, kind)), "message": str(error)}


def unpack_error(packed: Message) -> FashionCNNError:
    """Inverse of `pack_error`."""
    kind = getattr(errors, str(packed["error"]), WorkerError)
    error: FashionCNNError = kind(packed["message"])
    return error
