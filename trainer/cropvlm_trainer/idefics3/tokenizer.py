"""A small tokenizer of SmolVLM's kind, for the small models: byte-level BPE in which each digit is a token.

It can write any text, since all 256 bytes are in it, and the words of the synthetic pages are whole tokens.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from cropvlm_trainer.contract import END_OF_UTTERANCE

MAX_GRID = 6
"""Rows and columns of tiles that have a special token: Idefics3 names its tiles up to `<row_6_col_6>`."""

SPECIAL_TOKENS = (
    ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<fake_token_around_image>", "<image>", "<global-img>"]
    + [f"<row_{r}_col_{c}>" for r in range(1, MAX_GRID + 1) for c in range(1, MAX_GRID + 1)]
    + [END_OF_UTTERANCE]
)


def build_tokenizer(corpus: Iterable[str], vocab_size: int) -> Tokenizer:
    """Learns the merges from `corpus`; the same corpus gives the same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=SPECIAL_TOKENS,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return tokenizer
