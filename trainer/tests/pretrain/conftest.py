"""The tokenizer that pretraining starts with."""

import pytest

from cropvlm_trainer.pretrain.train import mini_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return mini_tokenizer()
