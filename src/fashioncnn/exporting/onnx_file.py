"""Changes to an ONNX file that is written: its metadata, nothing of its maker, fp16 weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

# Fewer numbers are not worth an operator that widens them.
FEWEST_HALVED = 16


def with_metadata(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX file with these metadata in place of its own."""
    import onnx

    proto = onnx.load_from_string(content)
    proto.ClearField("metadata_props")
    for key, value in sorted(metadata.items()):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    return bytes(proto.SerializeToString(deterministic=True))


def clean(proto: Any) -> None:
    """Leave nothing in the file that depends on where and by what it was made."""
    graph = proto.graph
    for thing in (*graph.node, *graph.initializer, *graph.input, *graph.output, graph, proto):
        thing.ClearField("doc_string")
        thing.ClearField("metadata_props")
    # Shapes in between are told by the operators.
    graph.ClearField("value_info")
    graph.name, proto.producer_name = "network", "fashioncnn"
    proto.ClearField("producer_version")


def halve(proto: Any) -> None:
    """Keep weights as fp16 where that loses nothing, as in runs whose weights are stored so."""
    import onnx
    from onnx import numpy_helper

    large = [
        (one, numpy_helper.to_array(one))
        for one in proto.graph.initializer
        if one.data_type == onnx.TensorProto.FLOAT and np.prod(one.dims) >= FEWEST_HALVED
    ]
    with np.errstate(over="ignore"):
        if not all(np.array_equal(v, v.astype(np.float16).astype(np.float32)) for _, v in large):
            return
    widened = []
    for initializer, values in large:
        name = initializer.name
        initializer.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        widened.append(
            onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = list(proto.graph.node)
    proto.graph.ClearField("node")
    proto.graph.node.extend([*widened, *nodes])
