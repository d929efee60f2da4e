"""Cases for each operator that the explorer's page computes, and ONNX Runtime's answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

OPSET = 23
Case = tuple[str, list[NDArray[Any] | None], dict[str, Any]]


def _random(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _whole(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def _scalar(value: float) -> NDArray[np.float32]:
    return np.array(value, np.float32)


X = _random(1, 4, 7, 6)
POSITIVE = np.abs(X) + 0.1
HALVES = np.array([[-2.5, -0.5, 0.5, 1.5, 2.5, 0.2]], np.float32)
FLAGS = np.array([[True, False, True]])
ROWS = _random(1, 5, 8)
CHANNELS = [_random(4, seed=seed) for seed in (1, 2, 3)]
HALVING = {"kernel_shape": [2, 2], "strides": [2, 2]}
WINDOW = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}


def _convolutions() -> list[Case]:
    def conv(filters: int, read: int, kernel: int, bias: bool = False, **how: Any) -> Case:
        weights = _random(filters, read, kernel, kernel, seed=5)
        inputs = [X, weights, _random(filters, seed=6)] if bias else [X, weights]
        return "Conv", list(inputs), {"kernel_shape": [kernel, kernel], **how}

    return [
        conv(3, 4, 3, pads=[1, 1, 1, 1]),
        conv(3, 4, 3, bias=True, strides=[2, 2], pads=[1, 1, 1, 1]),
        conv(3, 4, 3, strides=[2, 1], pads=[0, 1, 1, 0]),
        conv(3, 4, 3, dilations=[2, 2], pads=[2, 2, 2, 2]),
        conv(4, 1, 3, bias=True, group=4, pads=[1, 1, 1, 1]),
        conv(6, 2, 1, group=2),
        conv(2, 4, 5, strides=[3, 2], pads=[2, 2, 2, 2]),
        conv(2, 4, 2, bias=True, strides=[2, 2]),
    ]


def _shapes() -> list[Case]:
    return [
        ("Reshape", [X, _whole(1, -1, 6)], {}),
        ("Reshape", [X, _whole(0, 0, -1)], {}),
        ("Flatten", [X], {"axis": 2}),
        ("Transpose", [X], {"perm": [0, 2, 3, 1]}),
        ("Transpose", [ROWS], {}),
        ("Concat", [X, X * 2], {"axis": 1}),
        ("Concat", [_whole(1, 2), _whole(3)], {"axis": 0}),
        ("Split", [X, _whole(1, 3)], {"axis": 1}),
        ("Split", [ROWS], {"axis": -1, "num_outputs": 2}),
        ("Slice", [X, _whole(1), _whole(4), _whole(2)], {}),
        ("Slice", [X, _whole(-1, 5), _whole(-(2**63), 0), _whole(1, 3), _whole(-1, -2)], {}),
        ("Slice", [ROWS, _whole(1), _whole(2**63 - 1), _whole(1), _whole(2)], {}),
        ("Gather", [X, _whole(2, 0, -1)], {"axis": 1}),
        ("Gather", [ROWS, np.array(0, np.int64)], {"axis": 1}),
        ("Expand", [_random(1, 1, 3), _whole(2, 4, 3)], {}),
        ("Tile", [ROWS, _whole(1, 2, 3)], {}),
        ("Squeeze", [_random(1, 3, 1), _whole(-1)], {}),
        ("Squeeze", [_random(1, 3, 1)], {}),
        ("Unsqueeze", [ROWS, _whole(0, -1)], {}),
        ("Pad", [X, _whole(0, 0, 1, 2, 0, 0, 2, 1), _scalar(0.5)], {}),
        ("Pad", [X, _whole(1, 2, 2, 1), None, _whole(2, 3)], {"mode": "reflect"}),
        ("Pad", [X, _whole(1, 2, 2, 1), None, _whole(2, 3)], {"mode": "edge"}),
        ("Where", [FLAGS, _random(2, 3), _scalar(7.0)], {}),
        ("Identity", [X], {}),
        ("Dropout", [X], {}),
        ("Cast", [HALVES], {"to": onnx.TensorProto.INT64}),
        ("Cast", [_whole(1, 0, 3)], {"to": onnx.TensorProto.FLOAT}),
        ("CastLike", [_whole(1, 2), _scalar(0)], {}),
        ("Shape", [X], {"start": 1, "end": -1}),
        ("Range", [np.array(v, np.int64) for v in (2, 9, 3)], {}),
        (
            "ConstantOfShape",
            [_whole(2, 3)],
            {"value": helper.make_tensor("v", onnx.TensorProto.FLOAT, [1], [1.5])},
        ),
    ]


def _several() -> list[Case]:
    found: list[Case] = []
    for name in ("Add", "Sub", "Mul", "Div"):
        found += [(name, [X, _random(4, 1, 1, seed=4)], {}), (name, [X, X + 2], {})]
        found += [(name, [_scalar(2.0), X], {})]
    found += [("Pow", [POSITIVE, _scalar(1.7)], {}), ("PRelu", [X, _random(4, 1, 1)], {})]
    found += [(name, [X, np.round(X), _random(6)], {}) for name in ("Min", "Max", "Sum")]
    found += [(name, [X, X[..., ::-1].copy()], {}) for name in ("Equal", "Less", "Greater")]
    found += [(name, [FLAGS, FLAGS.T.copy()], {}) for name in ("And", "Or")]
    axes = [_whole(-1), _whole(1, 2), _whole()]
    for name in ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSumExp"):
        found += [(f"Reduce{name}", [X, one], {"keepdims": 0}) for one in axes]
    found += [("ReduceMean", [X, _whole()], {"noop_with_empty_axes": 1})]
    return found


def _normalised() -> list[Case]:
    scale, shift = _random(8, seed=1), _random(8, seed=2)
    return [
        ("BatchNormalization", [X, *CHANNELS, np.abs(_random(4, seed=4)) + 0.1], {}),
        ("LayerNormalization", [ROWS, scale, shift], {"axis": -1, "epsilon": 1e-3}),
        ("LayerNormalization", [X, _random(7, 6)], {"axis": 2}),
        ("RMSNormalization", [ROWS, scale], {"axis": -1}),
        ("InstanceNormalization", [X, *CHANNELS[:2]], {"epsilon": 1e-3}),
        ("GroupNormalization", [X, *CHANNELS[:2]], {"num_groups": 2}),
        ("Softmax", [ROWS], {"axis": 1}),
        ("LogSoftmax", [ROWS], {}),
    ]


def _pooled() -> list[Case]:
    return [
        ("MaxPool", [X], WINDOW),
        ("MaxPool", [X], HALVING | {"ceil_mode": 1}),
        ("MaxPool", [X], {"kernel_shape": [2, 2], "dilations": [2, 3]}),
        ("AveragePool", [X], WINDOW),
        ("AveragePool", [X], WINDOW | {"count_include_pad": 1}),
        ("AveragePool", [X], HALVING | {"ceil_mode": 1, "count_include_pad": 1}),
        ("AveragePool", [X], HALVING | {"ceil_mode": 1}),
        ("GlobalAveragePool", [X], {}),
        ("GlobalMaxPool", [X], {}),
    ]


def _products() -> list[Case]:
    a, b = _random(3, 5), _random(5, 2, seed=1)
    return [
        ("Gemm", [a, b, _random(2)], {"alpha": 0.5, "beta": 2.0}),
        ("Gemm", [a, b.T.copy()], {"transB": 1}),
        ("Gemm", [a.T.copy(), b, _random(3, 1)], {"transA": 1}),
        ("MatMul", [a, b], {}),
        ("MatMul", [_random(2, 1, 3, 5), _random(4, 5, 2)], {}),
        ("MatMul", [a, _random(5)], {}),
        ("MatMul", [_random(3), _random(2, 3, 4)], {}),
    ]


ALPHA = ("LeakyRelu", "ThresholdedRelu", "Elu", "Celu")
PLAIN = (
    *("Relu", "Sigmoid", "Tanh", "Selu", "Softplus", "Softsign", "HardSwish", "Mish", "Gelu"),
    *("Erf", "Exp", "Neg", "Abs", "Sign", "Reciprocal", "Sin", "Cos", "Floor", "Ceil"),
)


def cases() -> list[Case]:
    """Return the cases: operator, inputs, attributes."""
    found = [*_convolutions(), *_shapes(), *_several(), *_normalised(), *_pooled(), *_products()]
    found += [(name, [X], {}) for name in PLAIN]
    found += [(name, [X], {"alpha": 0.3}) for name in ALPHA]
    found += [("HardSigmoid", [X], {"alpha": 0.3, "beta": 0.4})]
    found += [("Gelu", [X], {"approximate": "tanh"}), ("Round", [HALVES], {}), ("Not", [FLAGS], {})]
    found += [("Log", [POSITIVE], {}), ("Sqrt", [POSITIVE], {})]
    found += [("Clip", [X, _scalar(-0.5), _scalar(0.5)], {}), ("Clip", [X, None, _scalar(0)], {})]
    return found


def answered(case: Case) -> list[NDArray[Any]]:
    """Return what ONNX Runtime makes of a case."""
    operator, inputs, attributes = case
    names = [f"i{at}" if value is not None else "" for at, value in enumerate(inputs)]
    parts = {"Split": len(inputs[1]) if operator == "Split" and len(inputs) > 1 else 2}  # type: ignore[arg-type]
    outputs = [f"o{at}" for at in range(parts.get(operator, 1))]
    given = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), list(value.shape)
        )
        for name, value in zip(names, inputs, strict=True)
        if value is not None
    ]
    made = [helper.make_empty_tensor_value_info(name) for name in outputs]
    node = helper.make_node(operator, names, outputs, **attributes)
    model = helper.make_model(
        helper.make_graph([node], "case", given, made),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=10,
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    feeds = {name: v for name, v in zip(names, inputs, strict=True) if v is not None}
    return [np.asarray(one) for one in session.run(None, feeds)]


def as_json(case: Case) -> dict[str, Any]:
    """Return a case as the page's interpreter is given it."""
    operator, inputs, attributes = case
    plain = {name: 1.5 if hasattr(value, "dims") else value for name, value in attributes.items()}
    tensors = [
        None
        if one is None
        else {
            "shape": list(one.shape),
            "float": one.dtype == np.float32,
            # JSON has no number as large as those that stand for "to the end".
            "values": [float(value) for value in one.flat],
        }
        for one in inputs
    ]
    return {"op": operator, "inputs": tensors, "attributes": plain}
