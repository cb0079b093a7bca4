import json
from functools import partial
from pathlib import Path
from random import Random

import pytest
import torch

from cropvlm_trainer.idefics3.forward import PromptBuilder
from cropvlm_trainer.idefics3.model import Shape, build_model
from cropvlm_trainer.pretrain.aux_losses import Helpers, pointing_loss
from cropvlm_trainer.pretrain.batches import pointing_batch, reading_batch
from cropvlm_trainer.pretrain.command import crop_width, mini_tokenizer, most_shapes, task
from cropvlm_trainer.pretrain.loop import Recipe, train
from cropvlm_trainer.pretrain.regions import reading_region
from cropvlm_trainer.training.optimizers import is_hidden_matrix
from cropvlm_trainer.training.run import open_log

SHAPE = Shape(
    tile=32, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=1
)
COMMON = {"learning_rate": 1e-3, "matrix_learning_rate": 2e-3, "seed": 1, "pages": 2, "save_every": 2, "log_every": 1}
RECIPE = Recipe(steps=6, warmup=2, **COMMON)


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


@pytest.fixture
def start(tokenizer, builder):
    """Starts or resumes a run that learns to point."""

    def run(out: Path, recipe: Recipe = RECIPE, loss=pointing_loss, stop: int | None = None) -> None:
        model = build_model(SHAPE, tokenizer, 0)
        torch.manual_seed(0)
        helpers = Helpers(model, builder)
        make = partial(pointing_batch, builder, SHAPE.tile, recipe.seed, pages=recipe.pages)
        train(
            model,
            make,
            lambda step, batch: loss(model, helpers, batch),
            recipe,
            out,
            torch.device("cpu"),
            lambda: {},
            stop,
            helpers,
        )

    return run


def test_a_killed_run_resumes_to_the_same_losses(start, tmp_path):
    start(tmp_path / "whole")
    taken = iter(range(1, 7))

    def killed(model, helpers, batch):
        if next(taken) == 6:
            raise KeyboardInterrupt
        return pointing_loss(model, helpers, batch)

    with pytest.raises(KeyboardInterrupt):
        start(tmp_path / "killed", loss=killed)
    assert max(losses(tmp_path / "killed")) == 5, "step 5 is logged but not saved: it is taken again"
    start(tmp_path / "killed")
    whole = losses(tmp_path / "whole")
    assert losses(tmp_path / "killed") == whole
    assert sorted(whole) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("other", [{"steps": 4}, {"seed": 2}, {"pages": 1}, {"base": "another"}])
def test_another_recipe_does_not_resume(start, tmp_path, other):
    start(tmp_path, Recipe(steps=2, **COMMON))
    with pytest.raises(ValueError, match="belongs to another recipe"):
        start(tmp_path, Recipe(**{"steps": 2, **COMMON, **other}))


def test_a_run_past_its_stop_is_not_passed_off_as_that_step(start, tmp_path):
    start(tmp_path)
    with pytest.raises(ValueError, match="is at step 6, past 4"):
        start(tmp_path, stop=4)


def test_what_is_saved_is_logged():
    with pytest.raises(ValueError, match="must be a multiple"):
        Recipe(**{"steps": 2, **COMMON, "save_every": 3, "log_every": 2})


def test_muon_gets_the_matrices_inside_the_layers_alone(tokenizer):
    names = {name for name, p in build_model(SHAPE, tokenizer, 0).named_parameters() if p.ndim == 2}
    others = {name for name in names if not is_hidden_matrix(name)}
    assert others == {
        "lm_head.weight",
        "model.text_model.embed_tokens.weight",
        "model.vision_model.embeddings.position_embedding.weight",
    }


def test_batches_depend_on_seed_and_number_alone(builder):
    one = reading_batch(builder, SHAPE.tile, 1, 3, 2, 0.5)
    same = reading_batch(builder, SHAPE.tile, 1, 3, 2, 0.5)
    other = reading_batch(builder, SHAPE.tile, 2, 3, 2, 0.5)
    assert torch.equal(one.tiles, same.tiles) and torch.equal(one.input_ids, same.input_ids)
    assert one.tiles.shape != other.tiles.shape or not torch.equal(one.tiles, other.tiles)


def test_crops_start_tight_and_widen():
    widths = [crop_width(step, 1000) for step in (0, 100, 200, 350, 500, 550, 600, 999)]
    assert widths == pytest.approx([0, 0, 0, 0.5, 1, 1.5, 2, 2])


def test_the_widest_crops_are_wide_and_hold_the_answer():
    answer, evidence = (40, 45, 46, 47), (38, 38, 48, 48)
    for width, most in ((1, 22), (2, 65)):
        regions = [reading_region(Random(seed), answer, evidence, width) for seed in range(300)]
        assert all(r[0] < 40 and r[1] < 45 and r[2] > 46 and r[3] > 47 for r in regions)
        widest = max(r[2] - r[0] for r in regions)
        assert 0.75 * most < widest < most


def test_reading_and_pointing_take_turns_once_the_encoder_has_seen():
    assert [task(step, 1000) for step in (0, 59, 60, 61, 62)] == ["see", "see", "point", "read", "point"]


def test_pages_of_shapes_fill_up():
    assert [most_shapes(step, 1000) for step in (59, 60, 100, 170, 350, 445, 470, 530, 999)] == [
        8,
        1,
        2,
        4,
        8,
        1,
        2,
        4,
        8,
    ]


def test_a_log_goes_on_without_torn_and_later_rows(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    with open_log(path, 2) as log:
        assert path.read_text() == '{"step": 1}\n{"step": 2}\n', "whole at once"
        log.write('{"step": 3}\n')
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n{"step": 3}\n'
