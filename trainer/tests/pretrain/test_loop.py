import os
import signal
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from support.runs.run import log

from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.idefics3.model import Shape, build_model
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.pretrain import loop
from cropvlm_trainer.pretrain.aux_losses import AuxHeads, pointing_loss
from cropvlm_trainer.pretrain.batches import pointing_batch
from cropvlm_trainer.pretrain.loop import Recipe, train

SHAPE = Shape(
    tile=32, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=1
)


COMMON = {"learning_rate": 1e-3, "matrix_learning_rate": 2e-3, "seed": 1, "pages": 2, "save_every": 2, "log_every": 1}


RECIPE = Recipe(steps=6, warmup=2, **COMMON)


@pytest.fixture(scope="module")
def builder(tokenizer):
    return PromptBuilder(tokenizer, SHAPE.tokens_per_tile)


def test_several_processes_are_refused(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    model = build_model(SHAPE, tokenizer, 0)
    with pytest.raises(ValueError, match="pretrain and full-sft run in one process; start them without torchrun"):
        train(model, lambda _: None, None, RECIPE, tmp_path / "out", torch.device("cpu"), lambda _: {})
    assert not (tmp_path / "out").exists()


def losses(out: Path) -> dict[int, float]:
    rows = log(out)
    assert [row["step"] for row in rows] == sorted({row["step"] for row in rows})
    return {row["step"]: row["loss"] for row in rows}


@pytest.fixture
def start(tokenizer, builder):
    """Starts or resumes a run that learns to point."""

    def run(out: Path, recipe: Recipe = RECIPE, loss=pointing_loss, stop: int | None = None) -> int:
        model = build_model(SHAPE, tokenizer, 0)
        torch.manual_seed(0)
        aux_heads = AuxHeads(model, builder)
        make = partial(pointing_batch, builder, SHAPE.tile, recipe.seed, pages=recipe.pages)
        return train(
            model,
            make,
            lambda step, batch: loss(model, aux_heads, batch),
            recipe,
            out,
            torch.device("cpu"),
            lambda _: {},
            stop,
            aux_heads,
        )

    return run


def test_a_killed_run_resumes_to_the_same_losses(start, tmp_path):
    start(tmp_path / "whole")
    taken = iter(range(1, 7))

    def killed(model, aux_heads, batch):
        if next(taken) == 6:
            raise KeyboardInterrupt
        return pointing_loss(model, aux_heads, batch)

    with pytest.raises(KeyboardInterrupt):
        start(tmp_path / "killed", loss=killed)
    assert max(losses(tmp_path / "killed")) == 5, "step 5 is logged but not saved: it is taken again"
    start(tmp_path / "killed")
    whole = losses(tmp_path / "whole")
    assert losses(tmp_path / "killed") == whole
    assert sorted(whole) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("asked_at", [3, 4])
def test_sigterm_saves_the_step_in_progress_and_the_run_goes_on(start, tmp_path, monkeypatch, capsys, asked_at):
    recipe = Recipe(steps=8, warmup=2, **COMMON | {"log_every": 4, "save_every": 4})
    clock = [0.0]
    # Each step takes a second.
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def timed(model, aux_heads, batch):
        clock[0] += 1
        return pointing_loss(model, aux_heads, batch)

    def terminated(model, aux_heads, batch):
        if clock[0] == asked_at - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return timed(model, aux_heads, batch)

    assert start(tmp_path / "whole", recipe, timed) == 8
    clock[0] = 0.0
    assert start(tmp_path / "parts", recipe, terminated) == asked_at
    assert f"stopped after step {asked_at} of 8; the same command goes on from there" in capsys.readouterr().out
    assert start(tmp_path / "parts", recipe, timed) == 8
    assert log(tmp_path / "parts") == log(tmp_path / "whole")
    assert [(row["step"], row["seconds_per_step"]) for row in log(tmp_path / "parts")] == [(4, 1.0), (8, 1.0)]
    whole, parts = (loop.load_whole(tmp_path / name / loop.STATE)["parts"] for name in ("whole", "parts"))
    assert [name for name in whole if not torch.equal(whole[name], parts[name])] == []


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"steps": 4}, "steps"),
        ({"learning_rate": 2e-3}, "learning_rate"),
        ({"seed": 2}, "seed, pages as they are drawn"),
        ({"pages": 1}, "pages, pages as they are drawn"),
    ],
)
def test_another_recipe_does_not_resume(start, tmp_path, other, named):
    start(tmp_path, Recipe(steps=2, **COMMON))
    with pytest.raises(ValueError, match=f"holds a run with another {named}"):
        start(tmp_path, Recipe(**{"steps": 2, **COMMON, **other}))


def test_pages_that_are_drawn_otherwise_do_not_resume(start, tmp_path, monkeypatch):
    start(tmp_path, stop=2)
    draw = dataset.make_page

    def otherwise(*args, **named):
        page, rng = draw(*args, **named)
        page.image.paste((1, 2, 3), (0, 0, 99, 99))
        return page, rng

    monkeypatch.setattr(dataset, "make_page", otherwise)
    with pytest.raises(ValueError, match="holds a run with another pages as they are drawn; give another out"):
        start(tmp_path)


def test_what_changes_no_mathematics_may_change(start, tmp_path):
    start(tmp_path / "whole")
    start(tmp_path / "changed", stop=2)
    start(tmp_path / "changed", Recipe(**{"steps": 6, "warmup": 2, **COMMON, "save_every": 3, "log_every": 3}))
    whole, changed = losses(tmp_path / "whole"), losses(tmp_path / "changed")
    assert list(changed) == [1, 2, 3, 6]
    assert changed[6] == pytest.approx((whole[4] + whole[5] + whole[6]) / 3)


def test_a_run_past_its_stop_is_not_passed_off_as_that_step(start, tmp_path):
    start(tmp_path)
    with pytest.raises(ValueError, match="is at step 6, past 4"):
        start(tmp_path, stop=4)


def test_what_is_saved_is_logged():
    with pytest.raises(ValueError, match="must be a multiple"):
        Recipe(**{"steps": 2, **COMMON, "save_every": 3, "log_every": 2})
