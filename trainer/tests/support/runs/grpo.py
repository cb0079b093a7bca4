"""Runs of GRPO on a tiny base that writes boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from support.runs.run import TINY_RUN, run_command, write_base_and_pages

from cropvlm_trainer.boxes import taught_region, to_box
from cropvlm_trainer.contract import cropper_prompt, format_box
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.forward import Batch, answer_loss
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.idefics3.prompts import PromptBuilder

STEPS = 4


def command(given: Path, out: Path, **other) -> list[str]:
    """The command line of a run of `STEPS` steps, with these settings over the usual ones."""
    settings = {"reward_resolution": 64, "group": 4, "temperature": 0.8, "beta": 0.05, "max_new_tokens": 20}
    settings |= {"batch": 4, "micro_batch": 2, "epochs": 2, "max_steps": STEPS, "save_every": 2, "sample_every": 3}
    return run_command("grpo", given, out, {**TINY_RUN, **settings, "lora.dropout": 0.0, **other})


def write_given(out: Path) -> Path:
    """Writes `base`, a tiny checkpoint that has learnt to write boxes (anywhere), and pages with questions."""
    model = tiny_model(2)
    builder = PromptBuilder(tiny_tokenizer(), TINY.tokens_per_tile)
    batches = [batch_of_pages(builder, index) for index in range(8)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    model.train()
    for step in range(300):
        loss, _ = answer_loss(model, batches[step % len(batches)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return write_base_and_pages(out, 12, model.eval())


def batch_of_pages(builder: PromptBuilder, index: int) -> Batch:
    """The first questions about two pages, with their boxes."""
    pages = [dataset.make_page(1, 2 * index + number)[0] for number in range(2)]
    cut = torch.tensor(np.stack([tiles(page.image, TINY.tile, TINY.tile)[0] for page in pages]))
    asked = [(number, page, question) for number, page in enumerate(pages) for question in page.questions[:4]]
    rows = [
        builder.encode(
            1, cropper_prompt(question.text), format_box(to_box(taught_region(page.to_percent(question.evidence_rect))))
        )
        for _, page, question in asked
    ]
    return Batch(cut, torch.tensor([[number] for number, *_ in asked]), *builder.collate(rows))
