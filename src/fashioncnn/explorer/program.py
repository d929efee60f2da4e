"""From an ONNX file to what a page runs: a list of operators, and weights as fp16."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashioncnn.bundles.bundle import EMBEDDING, INPUT, LOGITS
from fashioncnn.data.images import Shape
from fashioncnn.errors import BundleError

# Biases, norms, small layers and what prepares the picture stay as they are: they take little room.
FEWEST_HALVED_AXES, FEWEST_HALVED = 2, 4096
LARGEST_HALF = 60_000


@dataclass(frozen=True)
class Node:
    """One operator of a graph."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return it as the page reads it."""
        return {"op": self.op, "in": self.inputs, "out": self.outputs, "at": self.attributes}


@dataclass(frozen=True)
class Program:
    """What the page's interpreter is given: see page/network.js."""

    nodes: tuple[Mapping[str, Any], ...]
    tensors: Mapping[str, Mapping[str, Any]]
    weights: str
    shape: Shape

    def as_json(self) -> dict[str, Any]:
        """Return it as the page reads it."""
        return {
            "input": INPUT,
            "logits": LOGITS,
            "embedding": EMBEDDING,
            "channels": self.shape.channels,
            "height": self.shape.height,
            "width": self.shape.width,
            "nodes": self.nodes,
            "tensors": self.tensors,
            "weights": self.weights,
        }


def program(onnx_file: bytes, shape: Shape) -> Program:
    """Return what of an ONNX file leads to logits and embedding, for one picture at a time.

    Weights of two and more axes, and of 4,096 and more numbers, become fp16. Raises BundleError,
    which names operator and layer, for what the page cannot compute.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_from_string(onnx_file).graph
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    nodes: list[Node] = []
    for node in graph.node:
        attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
        if node.op_type == "Constant":
            constants[node.output[0]] = _constant(attributes)
        elif node.op_type == "Cast" and node.input[0] in constants:
            kind = onnx.helper.tensor_dtype_to_np_dtype(attributes["to"])
            constants[node.output[0]] = constants[node.input[0]].astype(kind)
        else:
            plain = {name: _plain(value) for name, value in attributes.items()}
            nodes.append(Node(node.op_type, list(node.input), list(node.output), plain))
    nodes = _needed(_with_group_norms(nodes, constants), (LOGITS, EMBEDDING))
    for one in nodes:
        _check(one, constants)
    used = {name for node in nodes for name in node.inputs}
    # Of these the outputs are the last axis; of all others the first.
    columns = {node.inputs[1] for node in nodes if _in_columns(node)}
    tensors, packed = _packed(
        {name: constants[name] for name in constants if name in used}, columns
    )
    told = tuple(node.as_json() for node in nodes)
    return Program(told, tensors, base64.b64encode(packed).decode(), shape)


@cache
def known_operators() -> frozenset[str]:
    """Return the operators that the page computes, as page/tensors.js lists them."""
    source = files("fashioncnn.explorer").joinpath("page/tensors.js").read_text(encoding="utf-8")
    tables = re.findall(
        r"const (?:OPERATORS|UNARY|BINARY|REDUCTIONS) = \{\n(.*?)\n  \};", source, re.DOTALL
    )
    return frozenset(
        name for table in tables for name in re.findall(r"^    (\w+):", table, re.MULTILINE)
    )


def _needed(nodes: Sequence[Node], outputs: tuple[str, ...]) -> list[Node]:
    """Return the nodes that `outputs` depend on, in order."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def _with_group_norms(nodes: Sequence[Node], constants: Mapping[str, Any]) -> list[Node]:
    """Return the nodes with each group norm as one: PyTorch's exporter writes it as five.

    Those are a reshape to groups, an instance norm, a reshape back, a product, a sum.
    """
    made = {name: node for node in nodes for name in node.outputs}
    users: dict[str, list[Node]] = {}
    for node in nodes:
        for name in dict.fromkeys(node.inputs):
            users.setdefault(name, []).append(node)

    def only_user(node: Node, op: str) -> Node | None:
        found = users.get(node.outputs[0], [])
        # A cast to the same kind looks at it, and nothing more.
        found = [one for one in found if one.op != "CastLike"]
        return found[0] if len(found) == 1 and found[0].op == op else None

    def weights(node: Node, before: Node) -> str | None:
        """Return the constant, one number a channel, that a node joins with the one before."""
        (name,) = [one for one in node.inputs if one != before.outputs[0]]
        while name not in constants:
            one = made.get(name)
            if one is None or one.op not in ("CastLike", "Unsqueeze", "Identity"):
                return None
            name = one.inputs[0]
        return name if constants[name].size == max(constants[name].shape) else None

    replaced = {}
    for norm in nodes:
        groups = made.get(norm.inputs[0]) if norm.op == "InstanceNormalization" else None
        if groups is None or groups.op != "Reshape" or groups.inputs[1] not in constants:
            continue
        back = only_user(norm, "Reshape")
        product = back and only_user(back, "Mul")
        total = product and only_user(product, "Add")
        if not (back and product and total):
            continue
        scale, shift = weights(product, back), weights(total, product)
        if scale is None or shift is None:
            continue
        told = {
            "num_groups": int(constants[groups.inputs[1]][1]),
            "epsilon": norm.attributes.get("epsilon", 1e-5),
        }
        inputs = [groups.inputs[0], scale, shift]
        replaced[total.outputs[0]] = Node("GroupNormalization", inputs, total.outputs, told)
    return [replaced.get(node.outputs[0], node) for node in nodes]


def _check(node: Node, constants: Mapping[str, Any]) -> None:
    """Raise BundleError for what page/tensors.js cannot do."""
    weight = next((name for name in node.inputs if name in constants and "." in name), None)
    where = weight.removeprefix("network.").rpartition(".")[0] if weight else node.outputs[0]
    if node.op not in known_operators():
        raise BundleError(f"the explorer has no operator {node.op}, in {where}")
    if node.op in ("Conv", "MaxPool", "AveragePool"):
        axes = len(node.attributes.get("kernel_shape", ()))
        padding = node.attributes.get("auto_pad", "NOTSET")
        if axes != 2 or padding not in ("NOTSET", "VALID"):
            raise BundleError(
                f"the explorer has no {node.op} over {axes} axes with padding {padding}, in "
                f"{where}: two axes, given numbers"
            )


def _constant(attributes: Mapping[str, Any]) -> NDArray[Any]:
    from onnx import numpy_helper

    (value,) = attributes.values()
    return numpy_helper.to_array(value) if hasattr(value, "dims") else np.asarray(value)


def _plain(value: Any) -> Any:
    """Return an attribute as JSON says it."""
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "dims"):
        from onnx import numpy_helper

        return float(numpy_helper.to_array(value).flat[0])
    return list(value) if isinstance(value, tuple | list) else value


def halves(weights: NDArray[Any], *, last: bool = False) -> NDArray[np.float16]:
    """Return weights as fp16 so that the errors of each output's weights sum to about 0.

    Each weight is rounded together with what the one before it lost: what a layer is given mostly
    has one sign, and errors that do not cancel would add up. Outputs are the first axis, or the
    `last`.
    """
    ordered = np.moveaxis(weights, -1, 0) if last else weights
    rows = ordered.reshape(len(ordered), -1).astype(np.float64)
    rounded = np.empty(rows.shape, np.float16)
    lost = np.zeros(len(rows))
    for column in range(rows.shape[1]):
        wanted = rows[:, column] + lost
        rounded[:, column] = wanted
        lost = wanted - rounded[:, column]
    shaped = rounded.reshape(ordered.shape)
    return np.moveaxis(shaped, 0, -1) if last else shaped


def _in_columns(node: Node) -> bool:
    return node.op == "MatMul" or (node.op == "Gemm" and not node.attributes.get("transB"))


def _packed(
    constants: Mapping[str, NDArray[Any]], columns: Collection[str]
) -> tuple[dict[str, dict[str, Any]], bytes]:
    """Return where each constant lies, and all of the floats in a row."""
    told: dict[str, dict[str, Any]] = {}
    content = bytearray()
    for name, values in constants.items():
        shape = list(values.shape)
        if values.dtype.kind != "f":
            told[name] = {"shape": shape, "values": [int(one) for one in values.flat]}
            continue
        many = values.ndim >= FEWEST_HALVED_AXES and values.size >= FEWEST_HALVED
        halved = many and np.abs(values).max(initial=0) < LARGEST_HALF
        content.extend(b"\0" * (-len(content) % 4))
        told[name] = {"shape": shape, "kind": "f16" if halved else "f32", "at": len(content)}
        stored = halves(values, last=name in columns) if halved else values
        content.extend(np.ascontiguousarray(stored, "<f2" if halved else "<f4").tobytes())
    return told, bytes(content)
