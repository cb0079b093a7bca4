"""A tiny model of random weights, and its checkpoint."""

from pathlib import Path

import pytest
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint


@pytest.fixture(scope="module")
def model() -> Idefics3ForConditionalGeneration:
    return tiny_model(7)


@pytest.fixture(scope="module")
def checkpoint(model: Idefics3ForConditionalGeneration, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(model, TINY, tiny_tokenizer(), folder, {"base": None, "recipe": "random", "steps": 3, "seed": 7})
    return folder
