"""Boxes under the service's grammar: always valid, and the model's choice among the valid ones."""

import numpy as np
import pytest
from support.paths import REPOSITORY

from cropvlm_trainer.contract import format_box, parse_box
from cropvlm_trainer.export.check.greedy_boxes import box_tokens, greedy_box
from cropvlm_trainer.golden.fixtures.models import tiny_tokenizer

TOKENIZER = tiny_tokenizer()


class Words:
    """The tokenizer as transformers wraps it, as far as boxes ask."""

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        return TOKENIZER.encode(text, add_special_tokens=add_special_tokens).ids


class Scripted:
    """Says one text, token after token, whatever it is fed; other tokens are likelier the smaller their id."""

    def __init__(self, text: str) -> None:
        self.ids, self.fed = TOKENIZER.encode(text).ids, 0

    def empty_cache(self) -> dict:
        return {}

    def token_embeddings(self, ids: np.ndarray) -> np.ndarray:
        return np.zeros((1, ids.shape[1], 4), dtype=np.float32)

    def decode(self, embeds: np.ndarray, mask: np.ndarray, cache: dict, wanted: np.ndarray) -> tuple[np.ndarray, dict]:
        self.fed += embeds.shape[1]
        assert mask.shape == (1, self.fed)
        logits = -np.arange(TOKENIZER.get_vocab_size(), dtype=np.float32) / 1000
        # The prompt is two tokens, so the text's next token is two behind what was fed.
        if self.fed - 2 < len(self.ids):
            logits[self.ids[self.fed - 2]] = 1
        return logits[None, None], cache


def box_of(text: str) -> tuple:
    return greedy_box(Scripted(text), np.zeros((1, 2, 4), dtype=np.float32), box_tokens(Words()))


@pytest.mark.parametrize("box", [(12, 5, 80, 47), (0, 0, 100, 100), (99, 9, 100, 10), (7, 61, 8, 99)])
def test_a_valid_box_is_written_as_the_model_says_it(box: tuple) -> None:
    assert box_of(format_box(box)) == box


def test_invalid_boxes_cannot_be_written() -> None:
    # x2 may not be 10 behind 12: no number above 12 begins with 10, so that 10 becomes 100.
    assert box_of(" [12, 5, 10, 47].")[2] == 100
    for text in (" [80, 90, 20, 30].", " [05, 00, 101, 7].", " no box here, no box here, no box here"):
        box = box_of(text)
        assert parse_box(format_box(box)) == box


def test_a_tokenizer_without_single_digits_is_refused() -> None:
    class Pairs:
        def encode(self, text: str, add_special_tokens: bool) -> list[int]:
            return [hash(text) % 1000]

    with pytest.raises(ValueError, match="gives each digit a token of its own"):
        box_tokens(Pairs())


def test_it_is_the_committed_tokenizer() -> None:
    models = REPOSITORY / "test" / "fixtures" / "models"
    assert (models / "tiny" / "tokenizer.json").exists()
    tokens = box_tokens(Words())
    assert [TOKENIZER.decode(part) for part in (tokens.open, tokens.separator, tokens.close)] == [" [", ", ", "]."]
    assert TOKENIZER.decode(tokens.digits) == "0123456789"
