"""The prompts' encoder of a tiny model, a policy that starts from it, and a run of GRPO on one that writes boxes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.runs.grpo import command, write_given
from transformers import AutoProcessor

from cropvlm_trainer.cli import main
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.lora import LoraSettings, add_lora
from cropvlm_trainer.idefics3.prompts import PromptEncoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), folder, TRAINING)
    return PromptEncoder(AutoProcessor.from_pretrained(folder))


@pytest.fixture
def policy():
    torch.manual_seed(0)
    return Policy(add_lora(tiny_model(2), LoraSettings(r=8, alpha=16, dropout=0.0)))


@pytest.fixture(scope="session")
def given(tmp_path_factory) -> Path:
    """`base`, which writes boxes, and `pages`."""
    return write_given(tmp_path_factory.mktemp("given"))


@pytest.fixture(scope="session")
def whole(given, tmp_path_factory) -> Path:
    """A run from its first step to its last, which no test changes."""
    out = tmp_path_factory.mktemp("whole")
    assert main(command(given, out)) == 0
    return out
