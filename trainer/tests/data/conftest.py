"""A tiny checkpoint and pages to search for boxes, in one folder."""

from __future__ import annotations

import pytest

from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`base`, a tiny checkpoint, and pages with two questions each."""
    out = tmp_path_factory.mktemp("given")
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), out / "base", TRAINING)
    dataset.write(out / "pages", 3, 5, questions_per_page=2)
    return out
