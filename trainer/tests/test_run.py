import json
from functools import partial
from pathlib import Path

import pytest
import torch

from cropvlm_trainer.data.stream import box_batch, reading_batch
from cropvlm_trainer.forward import PromptBuilder, answer_loss
from cropvlm_trainer.model import Shape, build_model
from cropvlm_trainer.pretrain import crop_width, mini_tokenizer
from cropvlm_trainer.run import Recipe, train

SHAPE = Shape(
    tile=32, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=1
)
RECIPE = Recipe(steps=6, learning_rate=1e-3, warmup=2, save_every=2, log_every=1)


@pytest.fixture(scope="module")
def tokenizer():
    return mini_tokenizer()


@pytest.fixture(scope="module")
def builder(tokenizer):
    return PromptBuilder(tokenizer, SHAPE.tokens_per_tile)


def losses(out: Path) -> dict[int, float]:
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == sorted({row["step"] for row in rows})
    return {row["step"]: row["loss"] for row in rows}


def start(tokenizer, make, out: Path, recipe: Recipe = RECIPE) -> None:
    train(build_model(SHAPE, tokenizer, 0), make, recipe, out, torch.device("cpu"), lambda: {})


def test_a_killed_run_resumes_to_the_same_losses(tokenizer, builder, tmp_path, monkeypatch):
    make = partial(box_batch, builder, SHAPE.tile, 1, pages=2)
    start(tokenizer, make, tmp_path / "whole")
    taken = iter(range(1, 7))

    def killed(model, batch, token_weights):
        if next(taken) == 6:
            raise KeyboardInterrupt
        return answer_loss(model, batch, token_weights)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("cropvlm_trainer.run.answer_loss", killed)
        start(tokenizer, make, tmp_path / "killed")
    assert max(losses(tmp_path / "killed")) == 5, "step 5 is logged but not saved: it is taken again"
    start(tokenizer, make, tmp_path / "killed")
    whole = losses(tmp_path / "whole")
    assert losses(tmp_path / "killed") == whole
    assert sorted(whole) == [1, 2, 3, 4, 5, 6]


def test_another_recipe_does_not_resume(tokenizer, builder, tmp_path):
    make = partial(box_batch, builder, SHAPE.tile, 1, pages=2)
    start(tokenizer, make, tmp_path, Recipe(steps=2, learning_rate=1e-3, save_every=2, log_every=1))
    with pytest.raises(ValueError, match="belongs to another recipe"):
        start(tokenizer, make, tmp_path)


def test_a_run_past_its_stop_is_not_passed_off_as_that_step(tokenizer, builder, tmp_path):
    make = partial(box_batch, builder, SHAPE.tile, 1, pages=2)
    start(tokenizer, make, tmp_path)
    model = build_model(SHAPE, tokenizer, 0)
    with pytest.raises(ValueError, match="is at step 6, past 4"):
        train(model, make, RECIPE, tmp_path, torch.device("cpu"), lambda: {}, stop=4)


def test_batches_depend_on_seed_and_number_alone(builder):
    one = reading_batch(builder, SHAPE.tile, 1, 3, 2, 0.5)
    same = reading_batch(builder, SHAPE.tile, 1, 3, 2, 0.5)
    other = reading_batch(builder, SHAPE.tile, 2, 3, 2, 0.5)
    assert torch.equal(one.tiles, same.tiles) and torch.equal(one.input_ids, same.input_ids)
    assert one.tiles.shape != other.tiles.shape or not torch.equal(one.tiles, other.tiles)


def test_crops_start_tight_and_widen():
    widths = [crop_width(step, 1000) for step in (0, 100, 300, 600, 999)]
    assert widths[0] == widths[1] == 0 and 0 < widths[2] < 1 and widths[3] == widths[4] == 1
