"""What a run shows of itself while it trains: its log, TensorBoard events, a progress bar, sample pictures."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from peft import PeftModel
from tqdm import tqdm
from transformers import TrainerCallback

from cropvlm_trainer.contract import parse_box
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.generation import prefill, sample
from cropvlm_trainer.sft.data import Lessons
from cropvlm_trainer.training.run import RunLog
from cropvlm_trainer.training.samples import Sample, draw_samples

MAX_NEW_TOKENS = 32


class Recorder(TrainerCallback):
    """One row a step: step, loss, grad_norm, lr, seconds. Belongs to the main process."""

    def __init__(self, out: Path, first: int, lessons: Lessons, shown: list[dict], sample_every: int) -> None:
        """`first`: steps that an earlier run has taken; `shown`: rows to draw every `sample_every` steps (0: never)."""
        self.out, self.first, self.lessons, self.shown, self.sample_every = out, first, lessons, shown, sample_every

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        self.log = RunLog(self.out, self.first)
        self.bar = tqdm(initial=self.first, total=state.max_steps, desc="sft")
        self.since = time.monotonic()

    def on_log(self, args, state, control, logs, model: PeftModel, **kwargs) -> None:
        if "loss" not in logs:
            # Trainer's summary at the end.
            return
        if not math.isfinite(logs["loss"]):
            raise ValueError(f"the loss is {logs['loss']} at step {state.global_step}; lower learning_rate")
        row = {"loss": logs["loss"], "grad_norm": logs["grad_norm"], "lr": logs["learning_rate"]}
        row["seconds"] = time.monotonic() - self.since
        self.log.add(state.global_step, row)
        self.bar.set_postfix(loss=f"{row['loss']:.3f}", refresh=False)
        self.bar.update()
        at_end = state.global_step == state.max_steps
        if self.sample_every and (at_end or state.global_step % self.sample_every == 0):
            with torch.autocast(args.device.type, dtype=torch.bfloat16, enabled=args.bf16):
                self.draw(state.global_step, model)
        self.since = time.monotonic()

    def on_save(self, args, state, control, **kwargs) -> None:
        self.since = time.monotonic()

    def on_train_end(self, args, state, control, **kwargs) -> None:
        self.bar.close()
        self.log.close()

    @torch.no_grad()
    def draw(self, step: int, model: PeftModel) -> None:
        """Greedy answers beside the taught boxes; nothing is drawn at random, so the training does not feel it."""
        inner, tokenizer = model.get_base_model(), self.lessons.encoder.tokenizer
        cut, prompts = zip(*(self.lessons.prompt(row) for row in self.shown), strict=True)
        model.eval()
        pad = tokenizer.pad_token_id
        features = torch.cat([encode_tiles(inner, torch.from_numpy(some).to(inner.device)) for some in cut])
        made = sample(
            inner,
            prefill(inner, prompts, features, pad),
            end=self.lessons.end,
            pad=pad,
            max_new_tokens=MAX_NEW_TOKENS,
            temperature=0,
            suppressed=torch.tensor([], dtype=torch.long, device=inner.device),
        )
        model.train()
        texts = tokenizer.batch_decode(made.ids, skip_special_tokens=True)
        samples = []
        for row, text, ended in zip(self.shown, texts, made.ended.tolist(), strict=True):
            box = parse_box(text) if ended else None
            samples.append(Sample(self.lessons.image(row), row["question"], [box], row["box"], text.strip()))
        draw_samples(self.out, step, samples)
