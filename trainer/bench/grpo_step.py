"""Seconds and peak memory of our GRPO step beside TRL's GRPOTrainer on the same work.

    trainer/.venv/bin/python trainer/bench/grpo_step.py --size mini --resolution 96 384 --out trainer/results/NAME

writes `NAME.json` and `NAME.md`. For each resolution three processes: both sides in turns (times), each alone (memory).
`--size full` is SmolVLM-256M's architecture with random weights. On a GPU that is at hand (24 GB and more):

    python trainer/bench/grpo_step.py --size full --resolution 512 1024 2048 --steps 5 --out trainer/results/NAME
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from grpo import report
from grpo.work import Work, save_random_weights

from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.golden.settings import REAL_FILES
from cropvlm_trainer.idefics3.model import pick_device

HERE = Path(__file__).resolve().parent
LORA_R = {"mini": 16, "full": 128}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("mini", "full"), default="mini")
    parser.add_argument("--base", type=Path, help="checkpoint of --size mini")
    parser.add_argument("--files", type=Path, default=REAL_FILES, help="config and tokenizer of --size full")
    parser.add_argument("--resolution", type=int, nargs="+", required=True, help="longest edges, pixels")
    parser.add_argument("--group", type=int, default=6)
    parser.add_argument("--questions", type=int, default=1, help="a step, one in a pass")
    parser.add_argument("--new-tokens", type=int, default=16)
    parser.add_argument("--steps", type=int, default=5, help="timed steps; one more warms up")
    parser.add_argument("--checkpointing", choices=("on", "off"), nargs="+", default=["on"])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--out", type=Path, required=True, help="NAME of NAME.json and NAME.md")
    args = parser.parse_args()
    if args.size == "mini" and not (args.base and (args.base / "config.json").exists()):
        parser.error(
            "--size mini needs --base, the folder of a checkpoint (trainer/experiments/miniature/mini.sh makes one)"
        )
    if args.steps < 1:
        parser.error("--steps must be 1 or more")
    return args


def child(work: Work, which: str, scratch: Path) -> dict:
    """Runs measure.py in a process of its own."""
    given, out = scratch / "work.json", scratch / f"{which}.json"
    given.write_text(work.to_json())
    print(f"{work.resolution} px, checkpointing {work.checkpointing}: {which}", flush=True)
    subprocess.run([sys.executable, HERE / "grpo" / "measure.py", given, which, out], check=True, cwd=scratch)
    return json.loads(out.read_text())


def main() -> None:
    args = arguments()
    device = pick_device(args.device).type
    head = report.heading(args, device)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        base = args.base.resolve() if args.size == "mini" else scratch / "base"
        if args.size == "full":
            save_random_weights(args.files, base)
        tile = json.loads((base / "config.json").read_text())["vision_config"]["image_size"]
        dataset.write(scratch / "pages", args.questions * (args.steps + 1), 7)
        for resolution in args.resolution:
            for checkpointing in args.checkpointing:
                work = Work(
                    base=str(base),
                    data=str(scratch / "pages" / "manifest.jsonl"),
                    resolution=resolution,
                    reward_resolution=tile,
                    group=args.group,
                    questions=args.questions,
                    new_tokens=args.new_tokens,
                    steps=args.steps + 1,
                    lora_r=LORA_R[args.size],
                    checkpointing=checkpointing == "on",
                    device=device,
                )
                found = [child(work, "both", scratch)]
                # Memory is at its most in the second step, where the optimizer's state is there.
                found += [child(replace(work, steps=2), which, scratch) for which in ("ours", "trl")]
                told = json.loads(work.to_json()) | {"base": head["base"], "data": "data/synth, seed 7"}
                rows.append(report.summary(told, *found))
                write(args.out, head, rows)
    print(args.out.with_suffix(".md").read_text())


def write(out: Path, head: dict, rows: list[dict]) -> None:
    """After each resolution, so that a run that is cut off leaves what it has."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".json").write_text(json.dumps({**head, "rows": rows}, indent=2) + "\n")
    out.with_suffix(".md").write_text(report.markdown(head, rows))


if __name__ == "__main__":
    main()
