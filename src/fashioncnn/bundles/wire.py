"""Looking into an ONNX file before ONNX Runtime opens it, without the package onnx.

ONNX is a protocol buffer (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto); its wire format
is walked here. Refused is what a network does not need and a hostile file may use: data in other
files, graphs within operators (loops, branches), functions, operators of unknown makers.
"""

from __future__ import annotations

from collections.abc import Iterator

# Numbers of fields in onnx.proto, by message.
MODEL_GRAPH, MODEL_OPSET, MODEL_TRAINING, MODEL_FUNCTIONS = 7, 8, 20, 25
OPSET_DOMAIN = 1
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_SPARSE = 1, 5, 15
NODE_OPERATOR, NODE_ATTRIBUTE, NODE_DOMAIN = 4, 5, 7
ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH, ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS = 5, 6, 10, 11
ATTRIBUTE_SPARSE = (22, 23)
TENSOR_EXTERNAL, TENSOR_LOCATION = 13, 14

DOMAINS = ("", "ai.onnx", "com.microsoft")
MAX_NODES = 20_000
MAX_FIELDS = 1_000_000
MAX_KEY = (1 << 32) - 1
# How a file in ONNX Runtime's own form begins, after four bytes; it need not be a protocol buffer.
ORT_FORMAT = b"ORTM"

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Field = tuple[int, int | memoryview]


class NotWanted(ValueError):
    """What a file holds that is refused."""


def check_model(content: bytes) -> None:
    """Raise NotWanted, a ValueError, unless `content` is an ONNX model without what is refused."""
    if content[4:8] == ORT_FORMAT:
        raise NotWanted("it is in ONNX Runtime's own form")
    _Walk().model(memoryview(content))


class _Walk:
    """A walk through one file, of at most so many fields in all."""

    def __init__(self) -> None:
        self._count = 0

    def model(self, model: memoryview) -> None:
        graphs = 0
        for number, value in self._fields(model):
            if number == MODEL_GRAPH:
                graphs += 1
                self._graph(_message(value))
            elif number == MODEL_OPSET:
                for field, domain in self._fields(_message(value)):
                    if field == OPSET_DOMAIN:
                        _check_domain(domain)
            elif number in (MODEL_TRAINING, MODEL_FUNCTIONS):
                raise NotWanted("it brings functions or training of its own")
        if graphs != 1:
            raise NotWanted(f"{graphs} graphs in place of one")

    def _graph(self, graph: memoryview) -> None:
        nodes = 0
        for number, value in self._fields(graph):
            if number == GRAPH_NODE:
                nodes += 1
                if nodes > MAX_NODES:
                    raise NotWanted(f"more than {MAX_NODES:,} operators")
                self._node(_message(value))
            elif number == GRAPH_INITIALIZER:
                self._tensor(_message(value))
            elif number == GRAPH_SPARSE:
                raise NotWanted("it has sparse weights")

    def _node(self, node: memoryview) -> None:
        operator = "?"
        for number, value in self._fields(node):
            if number == NODE_OPERATOR:
                operator = bytes(_message(value)[:50]).decode(errors="replace")
            elif number == NODE_DOMAIN:
                _check_domain(value)
            elif number == NODE_ATTRIBUTE:
                for field, part in self._fields(_message(value)):
                    if field in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS):
                        raise NotWanted(f"the operator {operator} holds a graph of its own")
                    if field in ATTRIBUTE_SPARSE:
                        raise NotWanted("it has sparse weights")
                    if field in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS):
                        self._tensor(_message(part))

    def _tensor(self, tensor: memoryview) -> None:
        for number, value in self._fields(tensor):
            if number == TENSOR_EXTERNAL or (number == TENSOR_LOCATION and value != 0):
                raise NotWanted("its weights lie in another file")

    def _fields(self, message: memoryview) -> Iterator[Field]:
        """Yield number and value of each field. Raises NotWanted where bytes are missing."""
        at, end = 0, len(message)
        while at < end:
            key, at = _varint(message, at)
            number, kind = key >> 3, key & 7
            self._count += 1
            # Parsers cut wider keys off, and would see another field than is seen here.
            if key > MAX_KEY or not number or self._count > MAX_FIELDS:
                raise NotWanted("it is no ONNX model")
            if kind == VARINT:
                value, at = _varint(message, at)
                yield number, value
                continue
            if kind == BYTES:
                size, at = _varint(message, at)
            elif kind in (FIXED64, FIXED32):
                size = 8 if kind == FIXED64 else 4
            else:
                raise NotWanted("it is no ONNX model")
            if size > end - at:
                raise NotWanted("it is cut off")
            if kind == BYTES:
                yield number, message[at : at + size]
            at += size


def _check_domain(value: int | memoryview) -> None:
    domain = bytes(_message(value)[:100]).decode(errors="replace")
    if domain not in DOMAINS:
        raise NotWanted(f"operators of {domain!r}")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise NotWanted("it is no ONNX model")
    return value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        if at >= len(message):
            raise NotWanted("it is cut off")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at
    raise NotWanted("it is no ONNX model")
