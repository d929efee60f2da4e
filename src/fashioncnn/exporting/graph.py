"""From a network to an ONNX file that takes uint8 pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from fashioncnn.bundles.bundle import EMBEDDING, ENERGY, INPUT, LOGITS, PROBABILITIES
from fashioncnn.data.images import Shape
from fashioncnn.data.preparation import Preparation
from fashioncnn.errors import BundleError, ExtraError
from fashioncnn.exporting.onnx_file import clean, halve
from fashioncnn.exporting.onnx_functions import read_once
from fashioncnn.exporting.shipped import Shipped
from fashioncnn.exporting.tracing import missing_operator, quiet, trace

# What PyTorch's exporter can write.
OLDEST_OPSET, OPSET, NEWEST_OPSET = 18, 20, 23


@dataclass(frozen=True)
class Graph:
    """An ONNX file's `content`, the width of its embedding, and its outputs with feature maps."""

    content: bytes
    features: int
    maps: tuple[str, ...]


def to_onnx(
    network: nn.Module,
    preparation: Preparation,
    shape: Shape,
    *,
    temperature: float = 1.0,
    maps: Mapping[str, nn.Module] | None = None,
    opset: int = OPSET,
) -> Graph:
    """Write `network`, in evaluation mode, as ONNX.

    `maps` are layers whose answers become outputs, by name. Equal networks give equal bytes.
    Raises BundleError, which names operator and layer, for what ONNX cannot say; ExtraError where
    the exporter is not installed.
    """
    try:
        import onnx_ir
        from onnxscript import optimizer
    except ImportError:
        raise ExtraError(
            "exporting is not installed: pip install 'fashioncnn[train,export]'"
        ) from None
    names = tuple(maps or ())
    shipped = Shipped(network, preparation, shape, temperature, list((maps or {}).values())).eval()
    program = trace(shipped, shape)
    outputs = [LOGITS, PROBABILITIES, ENERGY, EMBEDDING, *map(output_name, names)]
    with quiet(), read_once():
        try:
            exported = torch.onnx.export(
                program,
                dynamo=True,
                optimize=False,
                opset_version=opset,
                input_names=[INPUT],
                output_names=outputs,
                verbose=False,
            )
        except Exception as error:
            raise BundleError(missing_operator(program, error)) from None
        assert exported is not None
        model = exported.model
        # Batch norm stays a layer of its own here: runtimes fold it, and readers see it.
        optimizer.fold_constants(model)
        optimizer.remove_unused_nodes(model)
        proto = onnx_ir.serde.serialize_model(model)
    clean(proto)
    halve(proto)
    features = next(one for one in proto.graph.output if one.name == EMBEDDING)
    width = features.type.tensor_type.shape.dim[1].dim_value
    return Graph(proto.SerializeToString(deterministic=True), width, tuple(outputs[4:]))


def output_name(layer: str) -> str:
    """Return what the feature maps of a layer are called in the file."""
    return f"maps/{layer}"
