"""Stands for `cropvlm-train` in the test of mini.sh: it leaves the files of each command at once, and learns nothing.

`FAKE_LOG` names a file that gets a line for each command. Where it has `FAKE_KILL` lines, the whole process group dies.
"""

import json
import os
import signal
import sys
from pathlib import Path

SCORES = {"text-sft": 0.5, "grid-sft": 0.2, "best-sft": 0.4, "margin-sft": 0.55}
SCORES |= {"pilot-accuracy": 0.51, "pilot-log_likelihood": 0.6, "log_likelihood": 0.7, "request-2": 0.1}


def option(name: str) -> str | None:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


def write(path: Path, text: str = "{}") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def settings() -> dict[str, str]:
    return dict(sys.argv[at + 1].split("=", 1) for at, part in enumerate(sys.argv) if part == "--set")


def report(out: Path) -> str:
    score = SCORES.get(out.stem, 0.0) + (0.01 if out.parent.name == "2" else 0.0)
    croppings = ("full image", "full image + random box", "full image + true box", "full image + cropper")
    exact = {name: {"all": score} for name in (*croppings, "cropper's crop alone", "full image + whole page")}
    boxes = dict.fromkeys(("iou", "recall", "full_recall", "size", "valid"), 0.5)
    options = {"data": option("--data"), "target": option("--target")}
    return json.dumps({"held_out": {"exact_match": exact, "boxes": boxes, "options": options}})


def main() -> None:
    log = Path(os.environ["FAKE_LOG"])
    with log.open("a") as file:
        file.write(" ".join(sys.argv[1:]) + "\n")
    if len(log.read_text().splitlines()) == int(os.environ.get("FAKE_KILL", 0)):
        os.killpg(os.getpgrp(), signal.SIGKILL)
    out = Path(option("--out") or settings().get("out", "."))
    match sys.argv[1:3]:
        case ["data", "synth"]:
            write(out / "manifest.jsonl", "{}\n" * int(option("--n")))
        case ["data", "split"]:
            for name in ("sft", "grpo"):
                write(Path(option("--data")) / f"{name}.jsonl", "{}\n")
        case ["data", _]:
            write(out, "{}\n")
        case ["pretrain", *_]:
            write(out / "checkpoint/model.safetensors", "weights")
            write(out / "checkpoint/training.json")
        case ["full-sft", *_]:
            write(out / "checkpoint/training.json")
        case ["grpo", *_]:
            write(out / "adapter/training.json")
        case ["eval", *_]:
            write(out, report(out))
        case ["export", *_]:
            write(out / "cropvlm.json")
        case ["summary", *_]:
            from cropvlm_trainer.cli import main as real

            sys.exit(real(sys.argv[1:]))


main()
