"""The hub's q8: onnxruntime's dynamic quantization, as transformers.js' own conversion makes `*_quantized.onnx`.

Weights are signed, with a scale for each output channel: its fastest form on a CPU with VNNI. Activations become uint8
as the graph runs, with one scale for a whole tensor. The service's own int8 is another one (`precision/int8.py`).
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
    # Without this it warns that shapes are not inferred. It needs output types alone, and DefaultTensorType tells it.
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
