"""What a run shows while it trains: its log, TensorBoard events, a progress bar, and sample pictures."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from peft import PeftModel
from tqdm import tqdm
from transformers import TrainerCallback

from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.generation import decode_boxes, prefill, sample
from cropvlm_trainer.sft.data import SftDataset
from cropvlm_trainer.training.run import RunLog, renew_learning_rate
from cropvlm_trainer.training.samples import Sample, draw_samples
from cropvlm_trainer.training.stop import StopSignal

MAX_NEW_TOKENS = 32


class Steering(TrainerCallback):
    """What every process of a run heeds: the schedule of a run that goes on, and a signal to stop."""

    def __init__(self, stop: StopSignal) -> None:
        self.stop = stop

    def on_train_begin(self, args, state, control, optimizer, lr_scheduler, **kwargs) -> None:
        if state.global_step:
            renew_learning_rate(optimizer, lr_scheduler)

    def on_step_end(self, args, state, control, **kwargs) -> None:
        if self.stop.everywhere(args.device):
            control.should_save = control.should_training_stop = True


class Recorder(TrainerCallback):
    """Logs a row for each step: step, loss, grad_norm, lr, seconds. Only the main process has one."""

    def __init__(self, out: Path, first: int, dataset: SftDataset, shown_rows: list[dict], sample_every: int) -> None:
        """`first`: the number of steps that earlier runs have taken.

        `shown_rows`: the rows that are drawn every `sample_every` steps and after the last (0: never).
        """
        self.out, self.first, self.dataset = out, first, dataset
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
        self.started = time.monotonic()

    def on_train_end(self, args, state, control, **kwargs) -> None:
        self.bar.close()
        self.log.close()

    @torch.no_grad()
    def draw(self, step: int, model: PeftModel) -> None:
        """Draws the boxes that the model answers with, by greedy decoding, beside the boxes that it is taught.

        No random number is used, so the training is the same with and without pictures.
        """
        base, encoder = model.get_base_model(), self.dataset.encoder
        tiles, prompts = zip(*(self.dataset.prompt(row) for row in self.shown_rows), strict=True)
        model.eval()
        features = torch.cat([encode_tiles(base, torch.from_numpy(part).to(base.device)) for part in tiles])
        completions = sample(
            base,
            prefill(base, prompts, features, encoder.pad),
            end=encoder.end,
            pad=encoder.pad,
            max_new_tokens=MAX_NEW_TOKENS,
            temperature=0,
        )
        model.train()
        pictures = [
            Sample(self.dataset.image(row), row["question"], [box], row["box"], text.strip())
            for row, (text, box) in zip(self.shown_rows, decode_boxes(encoder.tokenizer, completions), strict=True)
        ]
        draw_samples(self.out, step, pictures)
