"""Where the time of one tile goes in the vision encoder, by operator: onnxruntime's own profile, medians over runs.

.venv/bin/python bench/vision_profile.py ../bench/.cache/cpu/full-size/ours --suffix _int8
"""

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from graphs import options, parser, session, tile_feeds


def main() -> None:
    args = parser(__doc__, rounds=5).parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runs = profile(args.folder / "onnx" / f"vision_encoder{args.suffix}.onnx", args.rounds, Path(scratch))
    totals = {kind: median(run.get(kind, 0.0) for run in runs) for kind in {kind for run in runs for kind in run}}
    whole = sum(totals.values())
    print("| operator | ms | share |\n|---|---|---|")
    for kind, ms in sorted(totals.items(), key=lambda item: -item[1]):
        print(f"| {kind} | {ms:.0f} | {100 * ms / whole:.0f} % |")


def profile(graph: Path, rounds: int, scratch: Path) -> list[dict[str, float]]:
    """Milliseconds by operator, a dictionary a run; the first run, which allocates, is left out."""
    settings = options(spinning=False, arena=True)
    settings.enable_profiling = True
    settings.profile_file_prefix = str(scratch / "profile")
    vision = session(graph, settings)
    feeds = tile_feeds(vision)
    for _ in range(rounds + 1):
        vision.run(None, feeds)
    events = json.loads(Path(vision.end_profiling()).read_text(encoding="utf-8"))
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
