"""From a network to an ONNX file that takes uint8 pictures: preparation, network, probabilities."""

from __future__ import annotations

import io
import logging
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.nn import functional

from fashioncnn.bundles.bundle import EMBEDDING, ENERGY, INPUT, LOGITS, PROBABILITIES
from fashioncnn.data.images import Shape
from fashioncnn.data.preparation import Preparation
from fashioncnn.errors import BundleError, ExtraError
from fashioncnn.models.ensemble import members_of
from fashioncnn.models.parts import parts_of
from fashioncnn.usercode.faults import in_words, told_by_lines

# What PyTorch's exporter can write.
OLDEST_OPSET, OPSET, NEWEST_OPSET = 18, 20, 23
# Traced with two pictures: one would be taken for a size that never changes.
EXAMPLES = 2
# Fewer numbers are not worth an operator that widens them.
FEWEST_HALVED = 16


@dataclass(frozen=True)
class Graph:
    """An ONNX file's `content`, the width of its embedding, and its outputs with feature maps."""

    content: bytes
    features: int
    maps: tuple[str, ...]


class Shipped(nn.Module):
    """A network with its preparation before it, and what is made of its logits behind it.

    Takes uint8 (n, height, width, channels); returns logits, probabilities at `temperature`,
    energy (n,), what the last layer is given (n, features), and the answers of `shown` layers.
    """

    scale: Tensor
    shift: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(
        self,
        network: nn.Module,
        preparation: Preparation,
        shape: Shape,
        temperature: float,
        shown: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature
        self._heads = [parts_of(member).head for member in members_of(network)]
        self._shown = list(shown)
        scale = 255 * torch.tensor(preparation.pixel_std)
        means = torch.tensor(preparation.pixel_mean)
        self.register_buffer("scale", (1 / scale).view(-1, 1, 1))
        self.register_buffer("shift", (means / torch.tensor(preparation.pixel_std)).view(-1, 1, 1))
        self.resized = preparation.image_size != (shape.height, shape.width)
        for name, side, wanted in zip(
            ("rows", "columns"), shape[1:], preparation.image_size, strict=True
        ):
            self.register_buffer(name, _resizing(side, wanted))

    def forward(self, images_NHWC: Tensor) -> tuple[Tensor, ...]:
        """Return logits, probabilities, energy, embedding, feature maps."""
        images = images_NHWC.permute(0, 3, 1, 2).float()
        if self.resized:
            images = self.rows @ images @ self.columns.T
        given: dict[nn.Module, Tensor] = {}
        answered: dict[nn.Module, Tensor] = {}

        def keep_input(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            given[module] = inputs[0].flatten(1)

        def keep_output(module: nn.Module, inputs: object, output: Any) -> None:
            del inputs
            # Attention returns its weights, too. What follows may work in place: hence the copy.
            answered.setdefault(
                module, (output[0] if isinstance(output, tuple) else output).clone()
            )

        hooks = [head.register_forward_pre_hook(keep_input) for head in self._heads]
        hooks += [one.register_forward_hook(keep_output) for one in self._shown]
        try:
            logits = self.network(images * self.scale - self.shift)
        finally:
            for hook in hooks:
                hook.remove()
        embedding = torch.cat([given[head] for head in self._heads], 1)
        maps = [answered[one] for one in self._shown]
        probabilities = torch.softmax(logits / self.temperature, 1)
        return (logits, probabilities, torch.logsumexp(logits, 1), embedding, *maps)


def _resizing(side: int, wanted: int) -> Tensor:
    """Return the (wanted, side) matrix that resizes one axis as Preparation does."""
    if side == wanted:
        return torch.eye(side)
    sources = torch.eye(side).view(1, 1, side, side)
    resized = functional.interpolate(
        sources, (wanted, side), mode="bilinear", align_corners=False, antialias=side > wanted
    )
    return resized[0, 0]


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
    with quiet():
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
            raise BundleError(_missing(program, error)) from None
        assert exported is not None
        model = exported.model
        # Batch norm stays a layer of its own here: runtimes fold it, and readers see it.
        optimizer.fold_constants(model)
        optimizer.remove_unused_nodes(model)
        proto = onnx_ir.serde.serialize_model(model)
    _clean(proto)
    halve(proto)
    features = next(one for one in proto.graph.output if one.name == EMBEDDING)
    width = features.type.tensor_type.shape.dim[1].dim_value
    return Graph(proto.SerializeToString(deterministic=True), width, tuple(outputs[4:]))


def trace(shipped: nn.Module, shape: Shape) -> ExportedProgram:
    """Follow the network for any number of pictures. Raises BundleError where that cannot be."""
    example = torch.zeros((EXAMPLES, shape.height, shape.width, shape.channels), dtype=torch.uint8)
    with quiet(), _counting_batches(shipped):
        try:
            return torch.export.export(
                shipped, (example,), dynamic_shapes=({0: Dim("n", min=1)},), strict=False
            )
        except Exception as error:
            cause = error.__cause__ or error
            told = told_by_lines(cause) or told_by_lines(error) or in_words(cause)
            raise BundleError(
                f"the network cannot be followed: {told}; no branches on what a tensor holds, no "
                "numpy and no fixed number of pictures inside forward"
            ) from None


@contextmanager
def _counting_batches(network: nn.Module) -> Iterator[None]:
    """Let `len(images)` in a user's own network stay the number of pictures, whatever it is.

    Python's own `len` makes a whole number of it, which would then be fixed in the file.
    """
    namespaces = [
        vars(sys.modules[name])
        for name in {type(module).__module__ for module in network.modules()}
        if name in sys.modules and name.partition(".")[0] not in ("torch", "fashioncnn")
    ]
    changed = [names for names in namespaces if "len" not in names]
    for names in changed:
        names["len"] = _length
    try:
        yield
    finally:
        for names in changed:
            del names["len"]


def _length(thing: Any) -> Any:
    return thing.shape[0] if isinstance(thing, Tensor) and thing.dim() else len(thing)


def output_name(layer: str) -> str:
    """Return what the feature maps of a layer are called in the file."""
    return f"maps/{layer}"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's progress and remarks to itself."""
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _missing(program: ExportedProgram, error: BaseException) -> str:
    """Say which operator ONNX lacks, and in which layer it stands."""
    words: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        words.append(str(cause))
        cause = cause.__cause__
    if found := re.search(r"No ONNX function found for <OpOverload\(op='\w+.(\w+)'", words[-1]):
        for node in program.graph.nodes:
            # The exporter may have taken it apart: what is left has its name within.
            if node.op == "call_function" and found[1] in str(node.target):
                stack = node.meta.get("nn_module_stack") or {}
                layers = [path for path, _ in stack.values() if path]
                layer = layers[-1].removeprefix("network.") if layers else "the network"
                return f"ONNX has no operator for {found[1]}, in {layer}"
    return f"the network cannot be written as ONNX: {words[-1].strip()[:300]}"


def with_metadata(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX file with these metadata in place of its own."""
    import onnx

    proto = onnx.load_from_string(content)
    proto.ClearField("metadata_props")
    for key, value in sorted(metadata.items()):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    return bytes(proto.SerializeToString(deterministic=True))


def _clean(proto: Any) -> None:
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
