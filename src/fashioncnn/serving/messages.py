"""What travels between the two processes: a request's job, its reply, as frames of bytes."""

from __future__ import annotations

import json
import struct
import time
from dataclasses import dataclass, field
from typing import IO, Any, Literal

# Sizes of the JSON head and of the body.
_SIZES = struct.Struct(">II")
Kind = Literal["predict", "infer"]


@dataclass(frozen=True)
class Job:
    """A request for one model, its body as it came.

    `head_bytes` is how much of an `infer` body is JSON, where tensors follow it as bytes. `until`
    is when whoever asked gives up, by `time.monotonic`, which is the same for all of a machine.
    """

    kind: Kind
    model: str
    body: bytes
    content_type: str = ""
    top: int = 3
    not_sure_below: float | None = None
    head_bytes: int | None = None
    until: float | None = None

    def is_late(self, seconds: float = 0.0) -> bool:
        """Say whether nobody waits for the reply any more, in so many seconds."""
        return self.until is not None and time.monotonic() + seconds > self.until


@dataclass(frozen=True)
class Reply:
    """What to send back; `answers` counts pictures by class, `batch` is how many were computed."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    batch: int = 0


def error(status: int, words: str) -> Reply:
    """Return a refusal with one sentence."""
    return Reply(status, json.dumps({"error": words}).encode())


UNFORESEEN = error(503, "this request could not be answered; others can")


def pack(number: int, message: Job | Reply) -> bytes:
    """Return a message and the number of its request as one frame."""
    head = dict(vars(message))
    del head["body"]
    encoded = json.dumps([number, head]).encode()
    return b"".join([_SIZES.pack(len(encoded), len(message.body)), encoded, message.body])


def read(stream: IO[bytes]) -> tuple[int, dict[str, Any], bytes] | None:
    """Return number, head and body of the next frame; None when there are no more."""
    sizes = stream.read(_SIZES.size)
    if len(sizes) < _SIZES.size:
        return None
    head_size, body_size = _SIZES.unpack(sizes)
    content = stream.read(head_size + body_size)
    if len(content) < head_size + body_size:
        return None
    number, head = json.loads(content[:head_size])
    return number, head, content[head_size:]


async def read_async(stream: Any) -> tuple[int, dict[str, Any], bytes]:
    """See `read`, from an asyncio.StreamReader. Raises IncompleteReadError at the end."""
    head_size, body_size = _SIZES.unpack(await stream.readexactly(_SIZES.size))
    number, head = json.loads(await stream.readexactly(head_size))
    return number, head, await stream.readexactly(body_size) if body_size else b""
