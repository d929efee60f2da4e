"""Picture files in the body of a request: one as it is, or several as a form."""

from __future__ import annotations

from python_multipart.multipart import parse_options_header

from fashioncnn.serving.tensors import WrongRequest

MAX_NAME, MAX_BOUNDARY, MAX_HEAD = 200, 200, 8192


class WrongType(WrongRequest):
    """A body of a type that holds no pictures."""


def files(body: bytes, content_type: str, most: int) -> list[tuple[str, bytes]]:
    """Return name and content of each file in the body. Raises WrongRequest, or WrongType."""
    kind, options = parse_options_header(content_type)
    if kind == b"multipart/form-data":
        return _form(body, options.get(b"boundary", b""), most)
    if kind.startswith(b"image/") or kind == b"application/octet-stream":
        if not body:
            raise WrongRequest("the body is empty: send a picture")
        return [("picture", body)]
    raise WrongType("send a picture as image/*, or several as files of multipart/form-data")


def _form(body: bytes, boundary: bytes, most: int) -> list[tuple[str, bytes]]:
    """Return the files of a form (RFC 7578, RFC 2046 sec. 5.1.1).

    It is cut at its boundaries, which is many times faster than a parser that looks at each byte.
    """
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        raise WrongRequest("the form's content type names no boundary")
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, most + 2)
    if len(parts) > most + 1:
        raise WrongRequest(f"more than {most} files in one request")
    if not parts or not parts[-1].startswith(b"--"):
        raise WrongRequest("the form is damaged, or cut off")
    if len(parts) == 1:
        raise WrongRequest("the form has no file: send pictures as files")
    return [_file(part) for part in parts[:-1]]


def _file(part: bytes) -> tuple[str, bytes]:
    end = part.find(b"\r\n\r\n", 0, MAX_HEAD)
    if end < 0:
        raise WrongRequest("the form is damaged: a part has no head, or a long one")
    for line in part[:end].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-disposition":
            _, options = parse_options_header(value.strip())
            if (shown := options.get(b"filename")) is not None:
                words = shown.decode(errors="replace")[:MAX_NAME] or "picture"
                return words, part[end + 4 :]
    raise WrongRequest("a part of the form is no file: send pictures as files")
