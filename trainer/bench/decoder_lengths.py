"""What a run of the decoder costs by the number of tokens it is fed, behind 110 tokens: does a tree of digits pay?

    .venv/bin/python bench/decoder_lengths.py ../bench/.cache/cpu/full-size/ours --suffix _int8

A box takes 7 runs behind the prefill. With all continuations of one coordinate in a run (110 tokens) it would take 3,
with the ten second digits behind a chosen first (33 tokens, separators included) 4.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime as ort

PAST, CAPACITY = 110, 300
LENGTHS = (1, 2, 3, 4, 11, 33, 110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--suffix", default="", help="of the graph: '' is fp32, _int8, _q4")
    parser.add_argument("--threads", type=int, default=0, help="0: one a core")
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    options = ort.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.force_spinning_stop", "1")
    graph = args.folder / "onnx" / f"decoder_model_merged{args.suffix}.onnx"
    session = ort.InferenceSession(graph, options, ["CPUExecutionProvider"])
    inputs = {value.name: value.shape for value in session.get_inputs()}
    cache = {
        name: np.zeros((1, shape[1], CAPACITY, shape[3]), np.float32)
        for name, shape in inputs.items()
        if name.startswith("past")
    }
    random = np.random.default_rng(0)

    def run(length: int) -> float:
        """Milliseconds."""
        feeds = {
            "inputs_embeds": random.normal(size=(1, length, inputs["inputs_embeds"][2])).astype(np.float32),
            "attention_mask": np.ones((1, PAST + length), np.int64),
            "logit_indices": np.array([[length - 1]]),
        }
        start = time.perf_counter()
        session.run(None, feeds | cache)
        return 1000 * (time.perf_counter() - start)

    times: dict[int, list[float]] = {length: [] for length in LENGTHS}
    for _ in range(args.rounds):
        for length in LENGTHS:
            times[length].append(run(length))
    print("| tokens a run | ms | times one token's |\n|---|---|---|")
    for length in LENGTHS:
        print(f"| {length} | {median(times[length]):.1f} | {median(times[length]) / median(times[1]):.2f} |")


if __name__ == "__main__":
    main()
