"""Picture files in the body of a request: one as it is, or several as a form."""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from fashioncnn.serving.tensors import WrongRequest

MAX_NAME = 200


class WrongType(WrongRequest):
    """A body of a type that holds no pictures."""


def files(body: bytes, content_type: str, most: int) -> list[tuple[str, bytes]]:
    """Return name and content of each file in the body. Raises WrongRequest, or WrongType."""
    kind, options = parse_options_header(content_type)
    if kind == b"multipart/form-data":
        found = _Form(most).parse(body, options.get(b"boundary"))
        if not found:
            raise WrongRequest("the form has no file: send pictures as files")
        return found
    if kind.startswith(b"image/") or kind == b"application/octet-stream":
        if not body:
            raise WrongRequest("the body is empty: send a picture")
        return [("picture", body)]
    raise WrongType("send a picture as image/*, or several as files of multipart/form-data")


class _Form:
    """What the parser calls, part by part."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: list[tuple[str, bytes]] = []

    def parse(self, body: bytes, boundary: bytes | None) -> list[tuple[str, bytes]]:
        if not boundary or len(boundary) > 200:
            raise WrongRequest("the form's content type names no boundary")
        self._body_ended = False
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._name_of_header,
            "on_header_value": self._value_of_header,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._whole,
        }
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        try:
            parser.write(body)
            parser.finalize()
        except FormParserError:
            raise WrongRequest("the form is damaged") from None
        if not self._body_ended:
            raise WrongRequest("the form is cut off")
        return self._found

    def _begin(self) -> None:
        self._header, self._value, self._disposition = bytearray(), bytearray(), b""
        self._content: list[bytes] = []

    def _name_of_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _value_of_header(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._content.append(data[start:end])

    def _end(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"filename")
        if name is None:
            raise WrongRequest("a part of the form is no file: send pictures as files")
        if len(self._found) == self._most:
            raise WrongRequest(f"more than {self._most} files in one request")
        shown = name.decode(errors="replace")[:MAX_NAME] or "picture"
        self._found.append((shown, b"".join(self._content)))

    def _whole(self) -> None:
        self._body_ended = True
