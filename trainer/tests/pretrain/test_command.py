"""`pretrain`, a few steps of a tiny shape: files, logs and resuming."""

import json
from functools import partial

import pytest
import torch
from support.runs.run import log

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint
from cropvlm_trainer.idefics3.model import Shape
from cropvlm_trainer.pretrain import no_boxes
from cropvlm_trainer.pretrain import train as pretrain
from cropvlm_trainer.pretrain.batches import pointing_batch, reading_batch
from cropvlm_trainer.pretrain.train import crop_width, max_shapes, mini_tokenizer, task

SHAPE = Shape(
    tile=32, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=1
)
STEPS = ["--steps", "4", "--pages", "1", "--device", "cpu"]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A run folder; held-out batches are of one page, which are quick to draw."""
    out = tmp_path_factory.mktemp("runs") / "base"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretrain, "Shape", lambda: SHAPE)
        patch.setattr(pretrain, "reading_batch", partial(_one_page, reading_batch))
        patch.setattr(pretrain, "pointing_batch", partial(_one_page, pointing_batch))
        command = ["pretrain", "--out", str(out), "--seed", "4", *STEPS]
        assert main(command) == 0
        before = weights(out)
        assert main(command) == 0, "a finished run only writes its checkpoint anew"
        assert torch.equal(before, weights(out))
    return out


def _one_page(make, builder, tile, seed, index, pages, **named):
    return make(builder, tile, seed, index, 1, **named)


def test_a_base_without_boxes_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrain, "Shape", lambda: SHAPE)
    monkeypatch.setattr(no_boxes, "HELD_OUT", (1, 1))
    command = ["pretrain", "--out", str(tmp_path), "--no-boxes", "--save-every", "50", *STEPS]
    assert main(command) == 0
    story = json.loads((tmp_path / "checkpoint" / "training.json").read_text())
    assert (story["recipe"], story["steps"]) == ("pretrain, no boxes", 4)
    _, processor = load_checkpoint(tmp_path / "checkpoint")
    assert processor.tokenizer.get_vocab() == mini_tokenizer(no_boxes=True).get_vocab()
    (row,) = log(tmp_path)
    assert {"looking", "tags", "naming", "looked", "reading", "looked_at_all", "read_width_2.0"} <= set(row)
    assert not {"pointing", "seeing", "pointed"} & set(row)
    assert main([part for part in command if part != "--no-boxes"]) == 2, "another run"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--save-every", "0", "--save-every must be above 0"),
        ("--save-every", "30", "save_every (30) must be a multiple of 50, the steps between two log rows"),
        ("--pages", "-1", "--pages must be above 0"),
        ("--stop-at", "0", "--stop-at must be above 0"),
    ],
)
def test_counts_that_cannot_be_are_named(option, value, message, tmp_path, capsys):
    assert main(["pretrain", "--out", str(tmp_path / "run"), option, value]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def weights(run) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(load_checkpoint(run / "checkpoint")[0].parameters()).detach()


def test_the_checkpoint_is_a_whole_folder_that_tells_its_story(base):
    story = json.loads((base / "checkpoint" / "training.json").read_text())
    told = [story[key] for key in ("base", "recipe", "steps", "seed", "pages_per_step")]
    assert told == [None, "pretrain", 4, 4, 1]
    assert Shape(**story["shape"]) == SHAPE
    model, processor = load_checkpoint(base / "checkpoint")
    assert processor.image_seq_len == SHAPE.tokens_per_tile
    assert model.config.vision_config.image_size == SHAPE.tile
    assert processor.tokenizer.get_vocab() == mini_tokenizer().get_vocab()


def test_the_log_has_the_held_out_scores(base):
    common = {"step", "loss", "grad_norm", "lr", "seconds_per_step"}
    tasks = {"seeing", "reading", "read", "pointing", "naming", "pointed"}
    held_out = {f"read_width_{width}" for width in (0.0, 0.5, 1.0, 2.0)} | {f"pointed_{kind}" for kind in dataset.KINDS}
    (row,) = log(base)
    assert set(row) == common | tasks | held_out
    assert row["step"] == 4


def test_crops_start_tight_and_widen():
    widths = [crop_width(step, 1000) for step in (0, 100, 200, 350, 500, 550, 600, 999)]
    assert widths == pytest.approx([0, 0, 0, 0.5, 1, 1.5, 2, 2])


def test_reading_and_pointing_take_turns_once_the_encoder_has_seen():
    assert [task(step, 1000) for step in (0, 59, 60, 61, 62)] == ["see", "see", "point", "read", "point"]


def test_pages_of_shapes_fill_up():
    assert [max_shapes(step, 1000) for step in (59, 60, 100, 170, 350, 445, 470, 530, 999)] == [
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
