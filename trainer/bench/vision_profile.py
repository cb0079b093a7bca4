"""Where the time of one tile goes in the vision encoder, by operator: onnxruntime's own profile, medians over runs.

.venv/bin/python bench/vision_profile.py ../bench/.cache/cpu/full-size/ours --suffix _int8
"""

import argparse
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime as ort


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--suffix", default="", help="of the graph: '' is fp32, _int8, _q4")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runs = profile(args.folder / "onnx" / f"vision_encoder{args.suffix}.onnx", args.rounds, Path(scratch))
    totals = {kind: median(run.get(kind, 0.0) for run in runs) for kind in {kind for run in runs for kind in run}}
    whole = sum(totals.values())
    print("| operator | ms | share |\n|---|---|---|")
    for kind, ms in sorted(totals.items(), key=lambda item: -item[1]):
        print(f"| {kind} | {ms:.0f} | {100 * ms / whole:.0f} % |")


def profile(graph: Path, rounds: int, scratch: Path) -> list[dict[str, float]]:
    """Milliseconds by operator, a dictionary a run; the first run, which allocates, is left out."""
    options = ort.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_profiling = True
    options.profile_file_prefix = str(scratch / "profile")
    session = ort.InferenceSession(graph, options, ["CPUExecutionProvider"])
    (pixels,) = session.get_inputs()
    tile = np.random.default_rng(0).integers(0, 256, (1, *pixels.shape[1:]), dtype=np.uint8)
    for _ in range(rounds + 1):
        session.run(None, {pixels.name: tile})
    events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    starts = sorted(event["ts"] for event in events if event["name"] == "model_run")[1:]
    runs: list[dict[str, float]] = [defaultdict(float) for _ in starts]
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            index = sum(start <= event["ts"] for start in starts) - 1
            if index >= 0:
                runs[index][event["args"]["op_name"]] += event["dur"] / 1000
    return runs


if __name__ == "__main__":
    main()
