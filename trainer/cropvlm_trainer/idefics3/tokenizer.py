"""A small tokenizer of SmolVLM's kind, for the mini models: byte-level BPE with single digits.

Any text can be written with it (all 256 bytes are in), and the words of the synthetic pages are whole tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from cropvlm_trainer.contract import CHAT_TEMPLATE, END_OF_UTTERANCE

MAX_GRID = 6
"""Idefics3 names its tiles up to `<row_6_col_6>`."""

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


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json` and the chat template."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {
        "bos_token": "<|im_start|>",
        "eos_token": END_OF_UTTERANCE,
        "pad_token": "<|im_end|>",
        "unk_token": "<|endoftext|>",
    }
    extra = ["<fake_token_around_image>", "<image>", END_OF_UTTERANCE]
    _write_json(folder / "special_tokens_map.json", {**names, "additional_special_tokens": extra})
    _write_json(
        folder / "tokenizer_config.json",
        {
            **names,
            "additional_special_tokens": extra,
            "clean_up_tokenization_spaces": False,
            "model_max_length": 8192,
            "processor_class": "Idefics3Processor",
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
    )
    _write_json(folder / "chat_template.json", {"chat_template": CHAT_TEMPLATE})


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
