"""What two of onnxruntime's options do to a tile and to a run of the decoder: spinning threads, and the memory arena.

    .venv/bin/python bench/session_options.py ../bench/.cache/cpu/full-size/ours --suffix _int8

The service lets threads spin within a run and has no arena (`src/vlm/session.ts`). All four sessions of a graph are
asked in turns; medians.
"""

import argparse
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime as ort

PAST, CAPACITY = 110, 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--suffix", default="", help="of the graphs: '' is fp32, _int8, _q4")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    graphs = {"one tile": ("vision_encoder", tile), "one token": ("decoder_model_merged", token)}
    print("| graph | spinning | arena | ms | times the first | kept after the runs, MiB |\n|---|---|---|---|---|---|")
    for name, (graph, feeds) in graphs.items():
        path = args.folder / "onnx" / f"{graph}{args.suffix}.onnx"
        options = list(product((False, True), (False, True)))
        runs, kept = [], []
        for spinning, arena in options:
            run = runner(path, spinning, arena, feeds)
            before = private_mib()
            run()
            runs.append(run)
            kept.append(private_mib() - before)
        times = [[run() for run in runs] for _ in range(args.rounds)]
        medians = [median(column) for column in zip(*times, strict=True)]
        for (spinning, arena), ms, mib in zip(options, medians, kept, strict=True):
            print(f"| {name} | {spinning} | {arena} | {ms:.1f} | {ms / medians[0]:.2f} | {mib:.0f} |")


def runner(path: Path, spinning: bool, arena: bool, feeds: Callable) -> Callable[[], float]:
    options = ort.SessionOptions()
    options.enable_cpu_mem_arena = arena
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = ort.InferenceSession(path, options, ["CPUExecutionProvider"])
    fed = feeds({value.name: value.shape for value in session.get_inputs()})

    def run() -> float:
        """Milliseconds."""
        start = time.perf_counter()
        session.run(None, fed)
        return 1000 * (time.perf_counter() - start)

    return run


def tile(inputs: dict[str, list]) -> dict[str, np.ndarray]:
    (name,) = inputs
    return {name: np.random.default_rng(0).integers(0, 256, (1, *inputs[name][1:]), dtype=np.uint8)}


def token(inputs: dict[str, list]) -> dict[str, np.ndarray]:
    past = {name: shape for name, shape in inputs.items() if name.startswith("past")}
    cache = {name: np.zeros((1, shape[1], CAPACITY, shape[3]), np.float32) for name, shape in past.items()}
    embeds = np.random.default_rng(0).normal(size=(1, 1, inputs["inputs_embeds"][2])).astype(np.float32)
    mask = np.ones((1, PAST + 1), np.int64)
    return cache | {"inputs_embeds": embeds, "attention_mask": mask, "logit_indices": np.array([[0]])}


def private_mib() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")) / 1024


if __name__ == "__main__":
    main()
