"""What a run shows while it trains: its log, TensorBoard events, a progress bar, and sample pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import PeftModel
from tqdm import tqdm
from transformers import TrainerCallback

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.metrics.exact_and_iou import box_measures
from cropvlm_trainer.sft.data import SftDataset
from cropvlm_trainer.training.dev import KeptWeights, greedy_boxes, mean_scores
from cropvlm_trainer.training.processes.stop import StopSignal
from cropvlm_trainer.training.run import RunLog, renew_learning_rate
from cropvlm_trainer.training.samples import Sample, draw_samples


class Steering(TrainerCallback):
    """What every process of a run does: the schedule of a run that goes on, scoring, and a signal to stop."""

    def __init__(self, stop: StopSignal, dev: SftDataset | None, eval_every: int) -> None:
        """`dev`: the rows on which the model is scored every `eval_every` steps and after the last; None: never."""
        self.stop, self.dev, self.eval_every = stop, dev, eval_every
        self.scores: dict[str, float] = {}
        """of the step in progress; empty where it is not scored"""

    def on_train_begin(self, args, state, control, optimizer, lr_scheduler, **kwargs) -> None:
        if state.global_step:
            renew_learning_rate(optimizer, lr_scheduler)

    def on_step_end(self, args, state, control, model: PeftModel, **kwargs) -> None:
        is_last = state.global_step == state.max_steps
        self.scores = {}
        if self.dev and (is_last or state.global_step % self.eval_every == 0):
            with torch.autocast(args.device.type, dtype=torch.bfloat16, enabled=args.bf16):
                self.scores = scored(model, self.dev, args.device)
        if self.stop.everywhere(args.device):
            control.should_save = control.should_training_stop = True


def scored(model: PeftModel, dev: SftDataset, device: torch.device) -> dict[str, float]:
    """How near the boxes that the model gives are to those of the rows: `iou`, `recall`, `size` and `valid`, 0..1."""
    names = ("iou", "recall", "size", "valid")

    def sums(rows: Sequence[dict]) -> dict[str, float]:
        boxes = [box for _, box in answered(model, dev, rows)]
        means = box_measures(boxes, [row["box"] for row in rows])
        return {name: means[name] * len(rows) for name in names}

    return mean_scores(dev.rows, names, sums, device)


def answered(model: PeftModel, dataset: SftDataset, rows: Sequence[dict]) -> list[tuple[str, Box | None]]:
    """The texts and boxes that the model answers with, by greedy decoding, without dropout."""
    tiles, prompts = zip(*(dataset.prompt(row) for row in rows), strict=True)
    model.eval()
    found = greedy_boxes(model.get_base_model(), dataset.encoder, [torch.from_numpy(part) for part in tiles], prompts)
    model.train()
    return found


class Recorder(TrainerCallback):
    """Logs a row for each step: step, loss, grad_norm, lr, seconds. Only the main process has one."""

    def __init__(
        self,
        out: Path,
        first: int,
        dataset: SftDataset,
        shown_rows: list[dict],
        sample_every: int,
        steering: Steering,
        adapters: KeptWeights,
    ) -> None:
        """`first`: the number of steps that earlier runs have taken.

        `shown_rows`: the rows that are drawn every `sample_every` steps and after the last (0: never).
        `steering`: has a step's scores; `adapters`: where the last and the best adapter go.
        """
        self.out, self.first, self.dataset, self.steering, self.adapters = out, first, dataset, steering, adapters
        self.shown_rows, self.sample_every = shown_rows, sample_every

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        self.log = RunLog(self.out, self.first)
        self.bar = tqdm(initial=self.first, total=state.max_steps, desc="sft")
        self.started = time.monotonic()

    def on_log(self, args, state, control, logs, model: PeftModel, **kwargs) -> None:
        """Raises ValueError for a loss that is not finite, which ends the run."""
        if "loss" not in logs:
            # Trainer's summary after the last step.
            return
        if not math.isfinite(logs["loss"]):
            raise ValueError(f"the loss is {logs['loss']} at step {state.global_step}; lower learning_rate")
        row = {"loss": logs["loss"], "grad_norm": logs["grad_norm"], "lr": logs["learning_rate"]}
        row["seconds"] = time.monotonic() - self.started
        if scores := self.steering.scores:
            row |= {f"eval/{name}": value for name, value in scores.items()}
            self.adapters.keep_if_best(state.global_step, scores["iou"], scores)
        self.log.add(state.global_step, row)
        self.bar.set_postfix(loss=f"{row['loss']:.3f}", refresh=False)
        self.bar.update()
        is_last = state.global_step == state.max_steps
        if self.sample_every and (is_last or state.global_step % self.sample_every == 0):
            with torch.autocast(args.device.type, dtype=torch.bfloat16, enabled=args.bf16):
                self.draw(state.global_step, model)
        # A step's seconds include neither pictures nor, below, the saving of the state.
        self.started = time.monotonic()

    def on_save(self, args, state, control, **kwargs) -> None:
        self.adapters.keep_last(state.global_step)
        self.started = time.monotonic()

    def on_train_end(self, args, state, control, **kwargs) -> None:
        self.bar.close()
        self.log.close()

    def draw(self, step: int, model: PeftModel) -> None:
        """Draws the boxes that the model answers with, by greedy decoding, beside the boxes that it is taught.

        No random number is used, so the training is the same with and without pictures.
        """
        found = answered(model, self.dataset, self.shown_rows)
        pictures = [
            Sample(self.dataset.image(row), row["question"], [box], row["box"], text.strip())
            for row, (text, box) in zip(self.shown_rows, found, strict=True)
        ]
        draw_samples(self.out, step, pictures)
