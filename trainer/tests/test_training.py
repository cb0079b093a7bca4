"""`pretrain` and then `sft` on its checkpoint, a few steps of a tiny shape: files, logs and resuming."""

import json
from functools import partial

import pytest
import torch

from cropvlm_trainer import pretrain, sft
from cropvlm_trainer.cli import main
from cropvlm_trainer.contract import format_box
from cropvlm_trainer.data import synth
from cropvlm_trainer.data.stream import box_batch, pointing_batch, reading_batch
from cropvlm_trainer.forward import PromptBuilder
from cropvlm_trainer.model import Shape, load_checkpoint
from cropvlm_trainer.pretrain import mini_tokenizer

SHAPE = Shape(
    tile=32, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=1
)
STEPS = ["--steps", "4", "--pages", "1", "--device", "cpu"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Both runs; held-out batches are of one page, which are quick to draw."""
    out = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretrain, "Shape", lambda: SHAPE)
        patch.setattr(pretrain, "reading_batch", partial(_one_page, reading_batch))
        patch.setattr(pretrain, "pointing_batch", partial(_one_page, pointing_batch))
        patch.setattr(sft, "box_batch", partial(_one_page, box_batch))
        assert main(["pretrain", "--out", str(out / "base"), "--seed", "4", *STEPS]) == 0
        command = ["sft", "--base", str(out / "base" / "checkpoint"), "--out", str(out / "cropper"), *STEPS]
        assert main(command) == 0
        before = weights(out / "cropper")
        assert main(command) == 0, "a finished run only writes its checkpoint anew"
        assert torch.equal(before, weights(out / "cropper"))
    return out


def _one_page(make, builder, tile, seed, index, pages, **named):
    return make(builder, tile, seed, index, 1, **named)


def weights(run) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(load_checkpoint(run / "checkpoint")[0].parameters()).detach()


def log(run) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_checkpoints_are_whole_folders_that_tell_their_story(runs):
    base, cropper = (
        json.loads((runs / run / "checkpoint" / "training.json").read_text()) for run in ("base", "cropper")
    )
    assert (base["base"], base["recipe"], base["steps"], base["seed"], base["pages_per_step"]) == (
        None,
        "pretrain",
        4,
        4,
        1,
    )
    assert (cropper["base"], cropper["recipe"], cropper["seed"]) == (base, "sft", 1)
    assert Shape(**cropper["shape"]) == Shape(**base["shape"]) == SHAPE
    model, processor = load_checkpoint(runs / "cropper" / "checkpoint")
    assert processor.image_seq_len == SHAPE.tokens_per_tile
    assert model.config.vision_config.image_size == SHAPE.tile
    assert processor.tokenizer.get_vocab() == mini_tokenizer().get_vocab()


def test_sft_starts_from_the_base_and_learns(runs):
    base, cropper = weights(runs / "base"), weights(runs / "cropper")
    assert 0 < (base - cropper).abs().max() < 0.1


def test_logs_have_the_held_out_scores(runs):
    common = {"step", "loss", "grad_norm", "lr", "seconds_per_step"}
    tasks = {"seeing", "reading", "read", "pointing", "naming", "pointed"}
    held_out = {f"read_width_{width}" for width in (0.0, 0.5, 1.0)} | {f"pointed_{kind}" for kind in synth.KINDS}
    (row,) = log(runs / "base")
    assert set(row) == common | tasks | held_out
    assert row["step"] == 4
    (row,) = log(runs / "cropper")
    assert set(row) == common | {"exact", "iou", "recall", "full_recall", "size", "valid"}


def test_boxes_are_read_where_the_answers_stand():
    tokenizer = mini_tokenizer()
    builder = PromptBuilder(tokenizer, SHAPE.tokens_per_tile)
    rows = [builder.encode(1, "Where?", format_box(box)) for box in ((12, 5, 80, 47), (0, 0, 9, 100))]
    _, labels = builder.collate(rows)
    assert sft.teacher_forced_boxes(tokenizer, labels, labels) == [(12, 5, 80, 47), (0, 0, 9, 100)]
    wrong = labels.where(labels != tokenizer.token_to_id("]."), tokenizer.token_to_id(","))
    assert sft.teacher_forced_boxes(tokenizer, labels, wrong) == [None, None]
