"""The model that a run starts from, and its larger tiles."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from support.paths import REPOSITORY

from cropvlm_trainer.full_sft.base import base_files, load_base
from cropvlm_trainer.full_sft.config import FullSftConfig, Sizes
from cropvlm_trainer.full_sft.from_export import load_export
from cropvlm_trainer.full_sft.retile import retiled
from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.forward import encode_tiles

FIXTURE = REPOSITORY / "test/fixtures/models/tiny"


def test_an_exported_model_is_read_back_as_it_was():
    model, shape, tokenizer = load_export(FIXTURE)
    assert shape == TINY
    assert tokenizer.to_str() == tiny_tokenizer().to_str()
    original = tiny_model(SEED).state_dict()
    state = model.state_dict()
    assert state.keys() == original.keys()
    assert [name for name in state if not torch.equal(state[name], original[name])] == []


def test_folders_that_are_no_export_are_refused(tmp_path, given):
    with pytest.raises(FileNotFoundError, match="config.json"):
        load_export(tmp_path)
    hub = REPOSITORY / "test/fixtures/models/tiny-hub"
    with pytest.raises(ValueError, match="only small models can be read back"):
        load_export(hub)
    shutil.copytree(given / "base", tmp_path / "base")
    model, shape, _ = load_base(tmp_path / "base", TINY.tile, TINY.patch)
    assert shape == TINY and model.config.vision_config.image_size == TINY.tile


def test_the_files_of_a_base_are_those_that_are_read(given, tmp_path):
    config = FullSftConfig(given / "base", given / "pages/seeded.jsonl", tmp_path)
    assert base_files(config) == [given / "base"]
    assert base_files(replace(config, shape=Sizes())) == [given / "base/tokenizer.json"]
    files = [path.relative_to(FIXTURE).as_posix() for path in base_files(replace(config, base=FIXTURE))]
    assert files[:2] == ["config.json", "tokenizer.json"] and "onnx/vision_encoder.onnx" in files


@torch.no_grad()
def test_larger_patches_see_an_enlarged_picture_as_before():
    model = tiny_model(4).eval()
    larger, shape = retiled(model, TINY, tiny_tokenizer(), 2 * TINY.tile, 2 * TINY.patch)
    assert (shape.tile, shape.patch, shape.tokens_per_tile) == (128, 16, TINY.tokens_per_tile)
    tiles = torch.randint(0, 256, (2, TINY.tile, TINY.tile, 3), dtype=torch.uint8)
    enlarged = F.interpolate(tiles.permute(0, 3, 1, 2).float(), scale_factor=2).byte().permute(0, 2, 3, 1)
    assert torch.allclose(encode_tiles(larger, enlarged), encode_tiles(model, tiles), atol=1e-4)


@torch.no_grad()
def test_positions_are_interpolated_over_the_tile():
    model = tiny_model(4)
    larger, shape = retiled(model, TINY, tiny_tokenizer(), 2 * TINY.tile, TINY.patch)
    name = "model.vision_model.embeddings.position_embedding.weight"
    before, after = model.state_dict()[name], larger.state_dict()[name]
    side = TINY.tile // TINY.patch
    assert after.shape == (4 * side * side, TINY.vision_width)
    # The mean over four neighbours is near the one that was there.
    means = F.avg_pool2d(after.T.reshape(1, -1, 2 * side, 2 * side), 2)[0].flatten(1).T
    assert (means - before).norm() < 0.5 * before.norm()
    other = [key for key in model.state_dict() if key != name]
    assert all(torch.equal(model.state_dict()[key], larger.state_dict()[key]) for key in other)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="no multiple of the model's 8"):
        retiled(tiny_model(4), TINY, tiny_tokenizer(), 64, 12)
    with pytest.raises(ValueError, match="choose a multiple of 32"):
        retiled(tiny_model(4), TINY, tiny_tokenizer(), 100, 16)


SEED = 2
