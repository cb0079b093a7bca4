"""The hub's q8: onnxruntime's dynamic quantization, as transformers.js' own conversion makes `*_quantized.onnx`.

Signed weights with a scale for each output channel, which is its fastest form on a CPU with VNNI; activations become
uint8 as they come, with one scale for a whole tensor. The service's own int8 is another (`precision/per_row.py`).
"""

import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.quant_utils import add_pre_process_metadata


def dynamic_q8(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose products with constant weights are quantized."""
    made = onnx.ModelProto()
    made.CopyFrom(graph)
    # Else it warns that shapes are not inferred: it needs the output types alone, and is told those.
    add_pre_process_metadata(made)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "graph.onnx"
        quantize_dynamic(
            made,
            path,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
        )
        return onnx.load(path)
