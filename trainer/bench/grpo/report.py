"""The bench's figures as JSON and as a table in Markdown."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from textwrap import fill

SAME = """\
Both sides: the same checkpoint, LoRA (with dropout 0.05), questions in the same order, images read from files, group
size, {questions} question(s) a step (one in a pass), {new_tokens} new tokens in every completion (the end token is
suppressed, as are image tokens), temperature 0.8, beta 0.01, AdamW, clip 0.1, and the same reward: `RewardModel`'s
log-likelihood at {reward_resolution} px with the base without its adapter, one copy of the weights. Both have a
frozen copy of the adapter as the reference. {precision}, {attention} attention. Checked in each run: the tokens of
prompts and completions that TRL counts are ours.

What differs: TRL prepares its prompts' tiles twice and encodes each tile for each completion, in sampling, in the
reference pass and in training; we once for the policy and once for the reference, and we sample from the very prefix
that is trained on, where TRL runs prompts anew. Checkpointing "on" is each side's default: the vision tower's in
ours, the whole model's in TRL; "off" is none in either. TRL samples all questions of a step in one batch. As no
completion ends, none has a box: on both sides the reward VLM is given a different box for each place in the group.
TRL's time is that of its whole training loop, ours without the log file.
"""
MEMORY = {
    "cuda": "Peak memory: `torch.cuda.max_memory_allocated` of a process that runs one side alone.",
    "cpu": "Peak memory: resident set (`VmHWM`) of a process that runs one side alone, Python and libraries included.",
}


def machine(device: str) -> str:
    if device == "cuda":
        import torch

        return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    name = names[0].split(":")[1].strip() if names else platform.machine()
    return f"{name}, {os.cpu_count()} cores of which 1 thread is used, shared (load average at the start {load})"


def summary(work: dict, both: dict, ours: dict, trl: dict) -> dict:
    """A row of the table. The first step of each series warms up and is left out of the medians."""
    alone = {name: median(wall(r, name)) for name, r in (("ours", ours), ("trl", trl)) if "seconds" in r}
    turns = {name: median(wall(both, name)) for name in both.get("seconds", {})}
    ratios = sorted(t / o for t, o in zip(wall(both, "trl"), wall(both, "ours"), strict=True)) if turns else []
    busy = {name: median(pair[1] for pair in pairs[1:]) for name, pairs in both.get("seconds", {}).items()}
    prompts = (ours if "prompts" in ours else both).get("prompts", [])
    return {
        "work": work,
        "tiles": [prompt["tiles"] for prompt in prompts],
        "prompt_tokens": [prompt["tokens"] for prompt in prompts],
        "seconds": turns,
        "ratio": turns["trl"] / turns["ours"] if turns else None,
        "ratio_of_pairs": {"lowest": ratios[0], "highest": ratios[-1]} if ratios else None,
        "processor_seconds": busy,
        "processor_ratio": busy["trl"] / busy["ours"] if busy else None,
        "seconds_alone": alone,
        "peak_bytes": {name: r.get("peak_bytes") for name, r in (("ours", ours), ("trl", trl))},
        "errors": {n: r["error"] for n, r in (("both", both), ("ours", ours), ("trl", trl)) if "error" in r},
        "every_step_wall_and_processor": both.get("seconds"),
    }


def wall(result: dict, name: str) -> list[float]:
    return [pair[0] for pair in result["seconds"][name][1:]]


def heading(args, device: str) -> dict:
    return {
        "date": date.today().isoformat(),
        "machine": machine(device),
        "versions": {name: version(name) for name in ("torch", "transformers", "trl", "peft", "accelerate")},
        "python": platform.python_version(),
        "command": "python trainer/bench/grpo_step.py " + shlex.join(sys.argv[1:]),
        "size": args.size,
        "base": "random weights" if args.size == "full" else str(args.base),
    }


def markdown(head: dict, rows: list[dict]) -> str:
    work = rows[0]["work"]
    versions = ", ".join(f"{name} {number}" for name, number in head["versions"].items())
    about = (
        f"{head['date']}, {head['machine']}; {versions}. Model: {head['size']} ({head['base']}), LoRA r "
        f"{work['lora_r']}, G {work['group']}. Medians of {work['steps'] - 1} steps a side, taken in turns; in "
        "brackets the lowest and the highest ratio of two steps in a row, and the ratio of the medians of the "
        "process's processor seconds, which other programs on the machine disturb less. Made by"
    )
    lines = [
        "# A GRPO step: ours beside TRL's GRPOTrainer",
        "",
        fill(about, 120),
        "",
        f"    {head['command']}",
        "",
        "| resolution | tiles | prompt tokens | checkpointing | ours, s | TRL, s | TRL / ours | ours, MB | TRL, MB |",
        "|---|---|---|---|---|---|---|---|---|",
        *map(line, rows),
        "",
        *(fill(part, 120) + "\n" for part in same(work).split("\n\n")),
        MEMORY[work["device"]],
    ]
    return "\n".join(lines) + "\n"


def same(work: dict) -> str:
    gpu = work["device"] == "cuda"
    precision = "bf16 autocast over fp32 weights" if gpu else "fp32"
    return SAME.format(precision=precision, attention="sdpa" if gpu else "eager", **work)


def line(row: dict) -> str:
    def span(values: list[int]) -> str:
        return "-" if not values else f"{min(values)}-{max(values)}" if min(values) < max(values) else str(values[0])

    def cell(name: str, values: dict, unit: float, digits: int) -> str:
        if values.get(name):
            return f"{values[name] / unit:.{digits}f}"
        return row["errors"].get(name) or row["errors"].get("both", "-")

    pairs = row["ratio_of_pairs"]
    ratio = "-"
    if pairs:
        busy = f"; processor {row['processor_ratio']:.1f}"
        ratio = f"{row['ratio']:.1f} ({pairs['lowest']:.1f}-{pairs['highest']:.1f}{busy})"
    cells = [str(row["work"]["resolution"]), span(row["tiles"]), span(row["prompt_tokens"])]
    cells += ["on" if row["work"]["checkpointing"] else "off"]
    cells += [cell(name, row["seconds"] or row["seconds_alone"], 1, 2) for name in ("ours", "trl")] + [ratio]
    cells += [cell(name, row["peak_bytes"], 1e6, 0) for name in ("ours", "trl")]
    return f"| {' | '.join(cells)} |"
