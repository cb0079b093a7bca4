"""Exported graphs against torch: the fused layout, the hub's, and what surrounds them."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoProcessor, Idefics3ForConditionalGeneration

from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.export import export as export_module
from cropvlm_trainer.export.check.expected import expected
from cropvlm_trainer.export.check.parity import ParityError, check_fp32
from cropvlm_trainer.export.check.session import OnnxModel, appended
from cropvlm_trainer.export.export import export, export_model
from cropvlm_trainer.golden.fixtures.models import TINY, randomize, tiny_model, tiny_tokenizer
from cropvlm_trainer.golden.images import tiles_of
from cropvlm_trainer.idefics3.model import build_model

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def folder(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported")
    export(checkpoint, out / "ours", role="cropper", model_id="ours", resolutions=[128, 64])
    export(checkpoint, out / "hub", role="cropper", model_id="hub", hub_layout=True)
    return out


@pytest.fixture(scope="module", params=["ours", "hub"])
def exported(folder: Path, request: pytest.FixtureRequest) -> OnnxModel:
    return OnnxModel(folder / request.param)


@pytest.fixture(scope="module")
def fused(folder: Path) -> OnnxModel:
    return OnnxModel(folder / "ours")


def some_embeds(model: Idefics3ForConditionalGeneration, length: int, seed: int = 0) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, model.config.text_config.vocab_size, (1, length), generator=generator)
    return model.get_input_embeddings()(ids).detach().numpy()


@torch.no_grad()
def torch_logits(model: Idefics3ForConditionalGeneration, embeds: np.ndarray) -> np.ndarray:
    return model(inputs_embeds=torch.from_numpy(embeds), use_cache=False).logits.numpy()


def ones(length: int) -> np.ndarray:
    return np.ones((1, length), dtype=np.int64)


def test_graphs_declare_the_layouts_inputs(folder: Path) -> None:
    ours, hub = OnnxModel(folder / "ours"), OnnxModel(folder / "hub")
    past = [f"past_key_values.{i}.{part}" for i in range(2) for part in ("key", "value")]
    assert list(ours.inputs) == ["inputs_embeds", "attention_mask", "logit_indices", *past]
    assert list(hub.inputs) == ["inputs_embeds", "attention_mask", "position_ids", *past]
    assert ours.inputs[past[0]].shape == ["batch", 2, "capacity", 16]
    outputs = {value.name: value.shape for value in ours.decoder.get_outputs()}
    assert outputs == {"logits": ["batch", "wanted", 352], "cache_update": ["batch", 8, "length", 16]}
    assert [value.name for value in hub.decoder.get_outputs()][:2] == ["logits", "present.0.key"]
    assert [(v.name, v.shape, v.type) for v in ours.vision.get_inputs()] == [
        ("pixel_values", ["tiles", 64, 64, 3], "tensor(uint8)")
    ]
    assert [(v.name, v.shape, v.type) for v in hub.vision.get_inputs()] == [
        ("pixel_values", ["batch", "num_images", 3, 64, 64], "tensor(float)"),
        ("pixel_attention_mask", ["batch", "num_images", 64, 64], "tensor(bool)"),
    ]
    assert ours.vision.get_outputs()[0].shape == ["tiles", 16, 64]


def test_image_features(model: Idefics3ForConditionalGeneration, exported: OnnxModel) -> None:
    tiles, *_ = tiles_of(pattern_image("strokes", 300, 200), 64, 128)
    pixels = (tiles.transpose(0, 3, 1, 2) / 127.5 - 1).astype(np.float32)
    with torch.no_grad():
        expected = model.model.get_image_features(torch.from_numpy(pixels)[None]).pooler_output.numpy()
    assert len(tiles) == 5 and expected.shape == (5, 16, 64)
    np.testing.assert_allclose(exported.image_features(tiles), expected, atol=TOLERANCE)
    np.testing.assert_allclose(exported.image_features(tiles[2:3]), expected[2:3], atol=TOLERANCE)


def test_prompt_and_steps(model: Idefics3ForConditionalGeneration, exported: OnnxModel) -> None:
    embeds = some_embeds(model, 40)
    expected = torch_logits(model, embeds)
    logits, cache = exported.decode(embeds[:, :33], ones(33), exported.empty_cache())
    np.testing.assert_allclose(logits, expected[:, :33], atol=TOLERANCE)
    for at in range(33, 40):
        logits, cache = exported.decode(embeds[:, at : at + 1], ones(at + 1), cache)
        np.testing.assert_allclose(logits, expected[:, at : at + 1], atol=TOLERANCE)
    assert cache["past_key_values.1.value"].shape == (1, 2, 40, 16)


def test_several_tokens_on_a_cache(model: Idefics3ForConditionalGeneration, exported: OnnxModel) -> None:
    embeds = some_embeds(model, 30)
    _, cache = exported.decode(embeds[:, :20], ones(20), exported.empty_cache())
    logits, _ = exported.decode(embeds[:, 20:], ones(30), cache, np.array([[9, 0, 4]]))
    np.testing.assert_allclose(logits, torch_logits(model, embeds)[:, [29, 20, 24]], atol=TOLERANCE)


def test_ragged_batch_equals_single_rows(model: Idefics3ForConditionalGeneration, fused: OnnxModel) -> None:
    lengths, steps = [17, 5, 29], 4
    rows = [some_embeds(model, length + steps, seed) for seed, length in enumerate(lengths)]
    expected = [torch_logits(model, row)[0] for row in rows]
    batch = np.zeros((3, 29, 64), dtype=np.float32)
    mask = np.zeros((3, 29), dtype=np.int64)
    for i, length in enumerate(lengths):
        batch[i, :length], mask[i, :length] = rows[i][0, :length], 1
    last = np.array(lengths)[:, None] - 1
    logits, cache = fused.decode(batch, mask, fused.empty_cache(3), last)
    for i, length in enumerate(lengths):
        np.testing.assert_allclose(logits[i, 0], expected[i][length - 1], atol=TOLERANCE)
    for step in range(steps):
        mask = np.zeros((3, 30 + step), dtype=np.int64)
        for i, length in enumerate(lengths):
            mask[i, : length + step + 1] = 1
        token = np.concatenate([row[:, length + step, None] for row, length in zip(rows, lengths, strict=True)])
        logits, cache = fused.decode(token, mask, cache)
        for i, length in enumerate(lengths):
            np.testing.assert_allclose(logits[i, 0], expected[i][length + step], atol=TOLERANCE)


def test_the_update_is_what_the_hubs_graph_adds(model: Idefics3ForConditionalGeneration, folder: Path) -> None:
    embeds = some_embeds(model, 24)
    ours, hub = OnnxModel(folder / "ours"), OnnxModel(folder / "hub")
    (_, found), (_, whole) = (
        one.decode(embeds[:, 18:], ones(24), one.decode(embeds[:, :18], ones(18), one.empty_cache())[1])
        for one in (ours, hub)
    )
    assert list(found) == list(whole)
    for name, value in whole.items():
        np.testing.assert_allclose(found[name], value, atol=TOLERANCE)


def test_an_update_goes_behind_each_rows_own_past() -> None:
    cache = {name: np.zeros((2, 1, 4, 1), np.float16) for name in ("key", "value")}
    update = np.arange(1, 9, dtype=np.float16).reshape(2, 2, 2, 1)
    # A first run: the second row is one token shorter and padded.
    first = appended({name: value[:, :, :0] for name, value in cache.items()}, update, np.array([[1, 1], [1, 0]]))
    assert first["key"][..., 0].tolist() == [[[1, 2]], [[5, 0]]]
    assert first["value"][..., 0].tolist() == [[[3, 4]], [[7, 0]]]
    second = appended(first, update[:, :, :1], np.array([[1, 1, 1], [1, 1, 0]]))
    assert second["key"][..., 0].tolist() == [[[1, 2, 1]], [[5, 5, 0]]]
    roomy = appended(cache, update[:, :, :1], np.array([[1], [1]]))
    assert roomy["value"].shape == (2, 1, 4, 1)
    assert roomy["value"].dtype == np.float16


def test_manifest_names_every_file(folder: Path) -> None:
    manifest = json.loads((folder / "ours" / "cropvlm.json").read_text())
    files = {p.relative_to(folder / "ours").as_posix() for p in (folder / "ours").rglob("*") if p.is_file()}
    assert set(manifest["sha256"]) == files - {"cropvlm.json"}
    graph = folder / "ours" / "onnx" / "decoder_model_merged.onnx"
    assert manifest["sha256"]["onnx/decoder_model_merged.onnx"] == hashlib.sha256(graph.read_bytes()).hexdigest()
    assert {key: manifest[key] for key in ("format", "id", "role", "prompt_contract")} == {
        "format": 2,
        "id": "ours",
        "role": "cropper",
        "prompt_contract": 1,
    }
    assert (manifest["resolutions"], manifest["default_resolution"]) == ([64, 128], 128)
    assert (manifest["precisions"], manifest["default_precision"]) == (["fp32"], "fp32")
    assert (manifest["training"]["recipe"], manifest["training"]["steps"]) == ("random", 3)
    assert manifest["scores"]["parity"]["fp32"]["greedy_equal"] == "6/6"
    assert manifest["scores"]["parity"]["fp32"]["decode"] < TOLERANCE
    assert not (folder / "hub" / "cropvlm.json").exists()


def test_a_failed_export_leaves_the_old_one(
    model: Idefics3ForConditionalGeneration, checkpoint: Path, tmp_path: Path
) -> None:
    processor, out = AutoProcessor.from_pretrained(checkpoint), tmp_path / "out"
    options = {"role": "cropper", "model_id": "x", "parity_prompts": 1}
    kept = export_model(model, processor, checkpoint, out, **options)
    with pytest.raises(ParityError, match="differ from torch"):
        export_model(model, processor, checkpoint, out, **options, tolerance=0.0)
    assert json.loads((out / "cropvlm.json").read_text()) == kept
    assert export_model(model, processor, checkpoint, out, **options)["revision"] == kept["revision"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_wrong_graph_is_refused(model: Idefics3ForConditionalGeneration, folder: Path) -> None:
    other = tiny_model(8)
    with pytest.raises(ParityError, match="differ from torch"):
        check_fp32(expected(other, AutoProcessor.from_pretrained(folder / "ours"), 1), OnnxModel(folder / "ours"))


def test_files_that_transformers_merges_are_written(
    model: Idefics3ForConditionalGeneration, checkpoint: Path, tmp_path: Path
) -> None:
    processor = AutoProcessor.from_pretrained(checkpoint)
    merged = tmp_path / "merged"
    model.save_pretrained(merged)
    processor.save_pretrained(merged)
    assert not (merged / "preprocessor_config.json").exists()
    export(merged, tmp_path / "out", role="target", model_id="merged", parity_prompts=1)
    written = json.loads((tmp_path / "out" / "preprocessor_config.json").read_text())
    assert (written["max_image_size"], written["size"]) == ({"longest_edge": 64}, {"longest_edge": 256})
    assert json.loads((tmp_path / "out" / "processor_config.json").read_text())["image_seq_len"] == 16
    manifest = json.loads((tmp_path / "out" / "cropvlm.json").read_text())
    assert (manifest["role"], manifest["resolutions"]) == ("target", [64, 128, 256])
    assert manifest["training"] == {"base": None, "data": None, "recipe": None, "steps": 0, "seed": None}


def test_large_graphs_keep_their_weights_beside_them(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "SINGLE_FILE_BYTES", 200_000)
    manifest = export(checkpoint, tmp_path / "out", role="cropper", model_id="large", parity_prompts=1)
    assert "onnx/decoder_model_merged.onnx_data" in manifest["sha256"]
    assert "onnx/vision_encoder.onnx_data" not in manifest["sha256"]
    assert (tmp_path / "out" / "onnx" / "decoder_model_merged.onnx").stat().st_size < 50_000


@pytest.mark.parametrize("rope", [{"rope_type": "linear", "factor": 4.0}, {"rope_type": "llama3", "factor": 8.0}])
def test_rope_scaling_and_biases(checkpoint: Path, tmp_path: Path, rope: dict) -> None:
    config = tiny_model(1).config
    config.text_config.rope_parameters = {
        "rope_theta": 5000.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 128,
        **rope,
    }
    config.text_config.attention_bias = config.text_config.mlp_bias = True
    model = Idefics3ForConditionalGeneration(config)
    randomize(model, 5)
    processor = AutoProcessor.from_pretrained(checkpoint)
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    parity = export_model(
        model, processor, checkpoint, tmp_path / "out", role="cropper", model_id="x", parity_prompts=1
    )
    assert parity["scores"]["parity"]["fp32"]["decode"] < TOLERANCE


def test_what_cannot_be_exported_says_so(checkpoint: Path, tmp_path: Path) -> None:
    processor = AutoProcessor.from_pretrained(checkpoint)
    odd = build_model(replace(TINY, text_width=48, text_heads=2, text_kv_heads=1), tiny_tokenizer(), 0)
    with pytest.raises(ValueError, match="head_dim 24 cannot be exported"):
        export_model(odd, processor, checkpoint, tmp_path / "odd", role="cropper", model_id="odd")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(ValueError, match="something other than an exported model"):
        export(checkpoint, tmp_path / "mine", role="cropper", model_id="x")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"
    with pytest.raises(ValueError, match=r"other than an exported model \(model.safetensors, training.json\)"):
        cloned = tmp_path / "cloned"
        shutil.copytree(checkpoint, cloned)
        (cloned / "onnx").mkdir()
        export(cloned, cloned, role="cropper", model_id="x")
    assert (cloned / "model.safetensors").exists()
    with pytest.raises(FileNotFoundError, match="nowhere holds no config.json"):
        export(tmp_path / "nowhere", tmp_path / "x", role="cropper", model_id="x")
    for wrong in ({"model_id": "../x"}, {"model_id": ""}, {"warning": "one\ntwo"}, {"warning": "x" * 2001}):
        with pytest.raises(ValueError, match="--id|--warning: give at most 2000 characters in one line"):
            export(checkpoint, tmp_path / "x", role="cropper", **{"model_id": "x", **wrong})
    with pytest.raises(ValueError, match="unknown precision int3; known are fp32"):
        export(checkpoint, tmp_path / "x", role="cropper", model_id="x", precisions=("int3",))
