"""Processor time of a training step with and without `keep_freed_memory`, by stage.

    trainer/.venv/bin/python trainer/bench/allocator.py --out trainer/results/allocator.md

Each stage is taken by its own command's code, in processes forked by turns from one that has everything loaded: each
has the allocator as the loading left it. Random weights: `mini` is the miniature's model at its 96 pixels, `page` the
same layers at one tile of 512 pixels.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

import torch

from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.golden.fixtures.models import TRAINING
from cropvlm_trainer.grpo import train as grpo
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.model import Shape, build_model
from cropvlm_trainer.pretrain import train as pretrain
from cropvlm_trainer.sft import train as sft
from cropvlm_trainer.training import allocator
from cropvlm_trainer.training.stages import GrpoConfig, SftConfig

SHAPES = {"mini": Shape(), "page": Shape(tile=512, patch=16)}
WARM_UP = 1


class Enough(Exception):
    """Ends a run after the steps that are measured."""


def count_steps(steps: int) -> list[tuple[float, int]]:
    """Has each step note processor time and page faults so far where it clips its gradients; the last one ends."""
    marks: list[tuple[float, int]] = []
    clip = torch.nn.utils.clip_grad_norm_

    def noting(*args, **named):
        marks.append((time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt))
        if len(marks) == WARM_UP + steps:
            raise Enough
        return clip(*args, **named)

    torch.nn.utils.clip_grad_norm_ = noting
    return marks


def measured(work: Callable[[], None], keeps: bool, steps: int) -> tuple[float, float]:
    """Processor seconds and page faults of a step, in a forked process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            # What the stage itself asks for must not decide.
            keep = allocator.keep_freed_memory
            for module in (pretrain, sft, grpo):
                if hasattr(module, "keep_freed_memory"):
                    module.keep_freed_memory = bool
            if keeps:
                assert keep()
            marks = count_steps(steps)
            sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
            try:
                work()
            except Enough:
                (t0, f0), (t1, f1) = marks[WARM_UP - 1], marks[-1]
                os.write(writing, json.dumps([(t1 - t0) / steps, (f1 - f0) / steps]).encode())
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return tuple(json.loads(said))


def works(folder: Path) -> dict[str, Callable[[], None]]:
    """What is measured, by name; each call trains in a folder of its own."""
    runs = iter(range(10_000))
    dataset.write(folder / "pages", 16, 5)
    tokenizer = pretrain.mini_tokenizer()
    for name, shape in SHAPES.items():
        save_checkpoint(build_model(shape, tokenizer, 0), shape, tokenizer, folder / name, TRAINING)

    def out() -> Path:
        return folder / f"run-{os.getpid()}-{next(runs)}"

    def shared(name: str, batch: int) -> dict:
        tile = SHAPES[name].tile
        manifest = folder / "pages" / "manifest.jsonl"
        given = {"base": folder / name, "data": manifest, "out": out(), "resolution": tile, "batch": batch}
        return {**given, "micro_batch": batch, "gradient_checkpointing": False, "workers": 0, "epochs": 9}

    def run_pretrain() -> None:
        # Of 10 steps the vision encoder has the first alone; then reading and pointing take turns.
        given = {"steps": 10, "stop_at": None, "pages": 8, "learning_rate": 1e-3, "matrix_learning_rate": 2e-3}
        pretrain.pretrain(argparse.Namespace(out=out(), seed=0, device="cpu", **given))

    def run_sft(name: str, batch: int) -> None:
        sft.train(SftConfig(**shared(name, batch)))

    def run_grpo(name: str, batch: int) -> None:
        tile = SHAPES[name].tile
        grpo.train(GrpoConfig(**shared(name, batch), reward_resolution=tile, max_new_tokens=12, sample_every=0))

    return {
        "pretrain, mini, 8 and 16 pages": run_pretrain,
        "sft, mini, 16 questions": lambda: run_sft("mini", 16),
        "sft, page, 2 questions": lambda: run_sft("page", 2),
        "grpo, mini, 16 questions": lambda: run_grpo("mini", 16),
        "grpo, page, 1 question": lambda: run_grpo("page", 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="measured, after one that warms up; an even number")
    parser.add_argument("--only", default="", help="what the measured's names begin with")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, work in works(Path(folder)).items():
            if not name.startswith(args.only):
                continue
            found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
            for _ in range(args.rounds):
                for keeps, pairs in found.items():
                    pairs.append(measured(work, keeps, args.steps))
            seconds = {keeps: median(pair[0] for pair in pairs) for keeps, pairs in found.items()}
            faults = {keeps: median(pair[1] for pair in pairs) for keeps, pairs in found.items()}
            ratios = sorted(kept[0] / given[0] for kept, given in zip(found[True], found[False], strict=True))
            cells = [name, f"{seconds[False]:.2f}", f"{seconds[True]:.2f}"]
            cells.append(f"**{median(ratios):.2f}** ({ratios[0]:.2f} to {ratios[-1]:.2f})")
            cells += [f"{faults[False]:,.0f}", f"{faults[True]:,.0f}"]
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    where = f"{date.today()}, {os.cpu_count()} shared cores, one thread, load average {load} at the start."
    text = f"""# The allocator, by stage

`python {" ".join(sys.argv)}`, {where}

Processor time (user and system) of a step, and its page faults. Medians of {args.rounds} rounds by turns, {args.steps}
steps each after the first; `bench/allocator.py` says what the models are.

| stage | s a step, glibc's defaults | s, freed memory kept | ratio (pairs) | page faults | kept |
|---|---|---|---|---|---|
""" + "".join(line + "\n" for line in lines)
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
