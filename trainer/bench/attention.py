"""Times the attention of one layer of the vision encoder: onnxruntime's fused float32 one, and int8 per head.

.venv/bin/python bench/attention.py [--patches 1024 --width 768 --heads 12]
"""

import argparse
from statistics import median

import numpy as np
import onnx
import torch
from graphs import milliseconds, options, session

from cropvlm_trainer.export.graphs.graph import Graph
from cropvlm_trainer.export.graphs.nodes import MICROSOFT
from cropvlm_trainer.export.precision.per_head import quantize_per_head


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=int, default=1024)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=25)
    args = parser.parse_args()
    fused = attention(args.width, args.heads)
    sessions = [session(graph.SerializeToString(), options(arena=True)) for graph in (fused, quantize_per_head(fused))]
    random = np.random.default_rng(0)
    feeds = {part: random.normal(size=(1, args.patches, args.width)).astype(np.float32) for part in "qkv"}
    times = [[milliseconds(one, feeds) for one in sessions] for _ in range(args.rounds + 1)][1:]
    print(f"fused {median(a for a, _ in times):.1f} ms, per head {median(b for _, b in times):.1f} ms")
    print(f"per head takes {median(b / a for a, b in times):.2f} of the fused one's time")


def attention(width: int, heads: int) -> onnx.ModelProto:
    """A graph of attention and a product of one channel, from which `quantize_per_head` reads the width."""
    graph = Graph("attention")
    inputs = [graph.input(part, "float", ["tiles", "patches", width]) for part in "qkv"]
    y = graph.op("MultiHeadAttention", *inputs, domain=MICROSOFT, num_heads=heads)
    graph.op("MatMul", y, graph.weight("out", torch.ones(width, 1)), outputs=["y"])
    graph.output("y", "float", ["tiles", "patches", 1])
    return graph.build()


if __name__ == "__main__":
    main()
