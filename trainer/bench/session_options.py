"""What two of onnxruntime's options do to a tile and to a run of the decoder: spinning threads, and the memory arena.

    .venv/bin/python bench/session_options.py ../bench/.cache/cpu/full-size/ours --suffix _int8

The service lets threads spin within a run and has no arena (`src/vlm/onnx/session.ts`). All four sessions of a graph
are run in turns; the figures are medians.
"""

from itertools import product
from pathlib import Path
from statistics import median

from graphs import milliseconds, options, parser, session, tile_feeds, token_feeds

GRAPHS = {
    "one tile": ("vision_encoder", tile_feeds),
    "one token": ("decoder_model_merged", lambda decoder: token_feeds(decoder, 1)),
}


def main() -> None:
    args = parser(__doc__, rounds=15).parse_args()
    print("| graph | spinning | arena | ms | times the first | kept after the runs, MiB |\n|---|---|---|---|---|---|")
    for name, (graph, feeds) in GRAPHS.items():
        path = args.folder / "onnx" / f"{graph}{args.suffix}.onnx"
        settings = list(product((False, True), (False, True)))
        runs, kept = [], []
        for spinning, arena in settings:
            one = session(path, options(spinning, arena))
            fed = feeds(one)
            before = private_mib()
            milliseconds(one, fed)
            runs.append((one, fed))
            kept.append(private_mib() - before)
        times = [[milliseconds(*run) for run in runs] for _ in range(args.rounds)]
        medians = [median(column) for column in zip(*times, strict=True)]
        for (spinning, arena), ms, mib in zip(settings, medians, kept, strict=True):
            print(f"| {name} | {spinning} | {arena} | {ms:.1f} | {ms / medians[0]:.2f} | {mib:.0f} |")


def private_mib() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")) / 1024


if __name__ == "__main__":
    main()
