"""What is sent back over HTTP."""

from __future__ import annotations

import json

from starlette.responses import Response

from fashioncnn.serving.messages import Reply

JSON = "application/json"
RETRY = {"Retry-After": "1"}


def as_json(value: object) -> Response:
    """Return a value as JSON."""
    return Response(json.dumps(value, ensure_ascii=False), media_type=JSON)


def to_response(reply: Reply, headers: dict[str, str] | None = None) -> Response:
    """Return what a worker replied, with more headers."""
    more = RETRY if reply.status in (429, 503) else {}
    return Response(
        reply.body,
        reply.status,
        headers={**reply.headers, **more, **(headers or {})},
        media_type=reply.content_type,
    )
