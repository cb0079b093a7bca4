"""Takes the steps of one side, or of both in turns: `measure.py WORK.json ours|trl|both OUT.json`.

A side's peak memory is measured in a process of its own. Times are compared where both sides run in turns, so that what
else the machine does affects both alike.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import TrainerCallback
from work import Work

Moment = tuple[float, float]
"""Seconds by the wall clock, and seconds of this process on a processor, which a busy machine disturbs less."""


class Clock(TrainerCallback):
    """Times each step of the trainer, its whole loop included; `between` runs before each and is not timed."""

    def __init__(self, device: str, between: Callable[[int], None]) -> None:
        self.device, self.between, self.seconds = device, between, []

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        self.start(state)

    def on_step_end(self, args, state, control, **kwargs) -> None:
        self.seconds.append(since(self.since, self.device))
        if state.global_step < state.max_steps:
            self.start(state)

    def start(self, state) -> None:
        self.between(state.global_step)
        self.since = now(self.device)


def now(device: str) -> Moment:
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()


def since(start: Moment, device: str) -> Moment:
    return tuple(end - begin for end, begin in zip(now(device), start, strict=True))


def peak_bytes(device: str) -> int:
    """The most memory that this process had: allocated on the GPU, or resident (`VmHWM`, libraries included)."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def measure(work: Work, which: str) -> dict:
    """Returns `seconds` (a Moment for each step, by side), `peak_bytes` of the process, and the `prompts`' sizes."""
    result: dict = {"seconds": {}}
    tokens: list[float] = []

    def timed(number: int) -> None:
        start = now(work.device)
        tokens.append(step(number))
        result["seconds"]["ours"].append(since(start, work.device))

    if which in ("ours", "both"):
        import ours

        step, result["prompts"] = ours.build(work)
        result["seconds"]["ours"] = []
    if which in ("trl", "both"):
        import theirs

        clock = Clock(work.device, timed if which == "both" else lambda number: None)
        trainer = theirs.build(work, clock)
        trainer.train()
        result["seconds"]["trl"] = clock.seconds
        result["trl_tokens_seen"] = int(trainer.state.num_input_tokens_seen)
    else:
        for number in range(work.steps):
            timed(number)
    if any(count != work.new_tokens for count in tokens):
        raise ValueError(f"completions of {tokens} tokens, not {work.new_tokens}: the sides' work cannot be compared")
    if which == "both":
        expected = work.group * sum(prompt["tokens"] + work.new_tokens for prompt in result["prompts"])
        if result["trl_tokens_seen"] != expected:
            raise ValueError(f"TRL saw {result['trl_tokens_seen']} tokens, we {expected}: not the same work")
    return result | {"peak_bytes": peak_bytes(work.device)}


def main() -> None:
    work, which, out = Work(**json.loads(Path(sys.argv[1]).read_text())), sys.argv[2], Path(sys.argv[3])
    if work.device == "cpu":
        torch.set_num_threads(1)
    try:
        result = measure(work, which)
    except torch.OutOfMemoryError as error:
        result = {"error": "out of memory", "message": str(error).splitlines()[0]}
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
