import pytest

from cropvlm_trainer.contract import format_box
from cropvlm_trainer.idefics3.tokenizer import SPECIAL_TOKENS
from cropvlm_trainer.pretrain.train import mini_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return mini_tokenizer()


def test_boxes_are_spelled_as_smolvlm_spells_them(tokenizer):
    assert tokenizer.encode(format_box((12, 5, 80, 100))).tokens == (
        ["Ġ[", "1", "2", ",", "Ġ", "5", ",", "Ġ", "8", "0", ",", "Ġ", "1", "0", "0", "]."]
    )


def test_any_text_survives(tokenizer):
    for text in ("café 12.50 €", "日本語 🙂", "مرحبا", "a\n\tb  c", "\u0000"):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_special_tokens_come_first_and_are_single(tokenizer):
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == list(range(len(SPECIAL_TOKENS)))
    assert tokenizer.encode("<image>").ids == [tokenizer.token_to_id("<image>")]


def test_the_same_corpus_gives_the_same_tokenizer(tokenizer):
    assert mini_tokenizer().to_str() == tokenizer.to_str()
