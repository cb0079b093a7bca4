"""What supervised fine-tuning sees: examples, their order, and the loss on them."""

from __future__ import annotations

import json

import pytest
import torch

from cropvlm_trainer.contract import cropper_prompt
from cropvlm_trainer.golden.fixtures.models import TINY
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.sft import data


def test_an_example_is_a_prompt_and_the_truncated_box(examples):
    tokenizer = examples.encoder.tokenizer
    assert [len(examples[index].tiles) for index in range(3)] == [3, 5, 3], "1x2 and 2x2 tiles, and their overviews"
    example = examples[0]
    answer = tokenizer.decode(example.ids[example.start :])
    assert answer == " [12, 5, 80, 47].<end_of_utterance>"
    prompt = tokenizer.decode(example.ids[: example.start])
    assert prompt.startswith("<|im_start|>User:<fake_token_around_image><row_1_col_1><image>")
    assert prompt.endswith(f"{cropper_prompt('what is the total?')}<end_of_utterance>\nAssistant:")


def test_an_image_is_cut_once_while_there_is_room(examples, monkeypatch):
    opened = []
    monkeypatch.setattr(data, "open_picture", lambda path: opened.append(path.name) or open_picture(path))
    examples._free_bytes = 4 * TINY.tile**2 * 3
    first = [examples[index].tiles for index in range(3)]
    again = [examples[index].tiles for index in range(3)]
    assert opened == ["wide.png", "square.png", "square.png"], "five tiles do not fit where four do"
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert torch.equal(first[0], first[2])


def test_rows_whose_answers_are_all_blank_are_not_taught(tmp_path, examples, training_rows, capsys):
    answered, blank, alone = (
        {**row, **more}
        for row, more in zip(training_rows, ({"answers": ["7"]}, {"answers": [" ", "Unanswerable"]}, {}), strict=True)
    )
    manifest = tmp_path / "seeds.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in (answered, blank, alone)))
    assert data.read_training_rows(manifest) == ([answered, alone], 0)
    assert f"1 rows of {manifest} left out: every answer is blank or unanswerable" in capsys.readouterr().err
    manifest.write_text(json.dumps({**alone, "answers": "7"}) + "\n")
    with pytest.raises(ValueError, match="row 1 of .*seeds.jsonl has no answers, a list of texts; mend or remove it"):
        data.read_training_rows(manifest)
