"""Eight bits: static quantisation of an ONNX file, its scales set on pictures it was made for."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashioncnn.bundles.bundle import INPUT
from fashioncnn.exporting.tracing import quiet

CALIBRATION_PICTURES = 512
BATCH = 64
# What is computed in eight bits; the rest stays as it is.
OPERATORS = ["Conv", "Gemm", "MatMul", "MaxPool", "GlobalAveragePool", "Add", "Relu"]


def quantised(content: bytes, pictures_NHWC: NDArray[np.uint8]) -> bytes:
    """Return an ONNX file that computes in int8 where that pays.

    Weights get a scale for each output channel, activations one from the least and largest that
    `pictures_NHWC` give (Jacob et al., arXiv 1712.05877, sec. 2 and 3). Equal input gives equal
    bytes.
    """
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pictures(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            starts = range(0, len(pictures_NHWC), BATCH)
            self._batches = iter([pictures_NHWC[start : start + BATCH] for start in starts])

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            batch = next(self._batches, None)
            return None if batch is None else {INPUT: batch}

    with tempfile.TemporaryDirectory() as folder, quiet():
        given, folded, done = (str(Path(folder) / name) for name in ("given", "folded", "done"))
        Path(given).write_bytes(content)
        quant_pre_process(given, folded, skip_symbolic_shape=True)
        quantization.quantize_static(
            folded,
            done,
            Pictures(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        proto = onnx.load(done)
    proto.producer_name = "fashioncnn"
    proto.ClearField("producer_version")
    proto.graph.ClearField("value_info")
    # ONNX Runtime names every domain that it knows.
    used = {node.domain for node in proto.graph.node}
    imported = [one for one in proto.opset_import if one.domain in used]
    proto.ClearField("opset_import")
    proto.opset_import.extend(imported)
    return bytes(proto.SerializeToString(deterministic=True))
