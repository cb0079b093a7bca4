"""The decoder's attention as an output, and that graphs without it stay as they were."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.attention.torch_attention import last_attention
from cropvlm_trainer.export.check.parity import ParityError
from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.export.export import export
from cropvlm_trainer.export.graphs.decoder import decoder_graph
from cropvlm_trainer.export.verify import Against, verify

PRECISIONS = ("fp32", "fp16", "int8", "q4")


@pytest.fixture(scope="module")
def folder(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "seen"
    made = {"role": "cropper", "model_id": "seen", "precisions": PRECISIONS, "parity_pages": 2}
    export(checkpoint, out, attention=[1, 0], floor=0, **made)
    return out


def attend(fused: OnnxModel, embeds: np.ndarray, mask: np.ndarray, cache: dict, wanted: list[list[int]]) -> np.ndarray:
    feeds = {"inputs_embeds": embeds, "attention_mask": mask, "logit_indices": np.array(wanted), **cache}
    return fused.decoder.run(["attention"], feeds)[0]


def embeds_of(model: Idefics3ForConditionalGeneration, ids: list[int]) -> np.ndarray:
    return model.get_input_embeddings()(torch.tensor([ids])).detach().numpy()


def torch_attention(model: Idefics3ForConditionalGeneration, ids: list[int]) -> np.ndarray:
    return last_attention(model, {"input_ids": torch.tensor([ids])}, [1, 0]).numpy()


def test_graphs_without_attention_are_the_same_bytes(model: Idefics3ForConditionalGeneration) -> None:
    plain, seen = decoder_graph(model), decoder_graph(model, [1])
    names = [value.name for value in plain.graph.output]
    assert names == ["logits", "cache_update"]
    assert [value.name for value in seen.graph.output] == [*names, "attention"]
    # What the graphs have in common has the same nodes in the same order: the attention comes after them.
    common = len(plain.graph.node)
    assert [node.SerializeToString() for node in seen.graph.node[:common]] == [
        node.SerializeToString() for node in plain.graph.node
    ]


def test_the_manifest_names_the_layers(folder: Path) -> None:
    manifest = json.loads((folder / "cropvlm.json").read_text(encoding="utf-8"))
    assert manifest["attention"] == {"layers": [1, 0]}
    parity = manifest["scores"]["parity"]
    assert parity["fp32"]["attention"] < 1e-4
    differences = [parity[name]["attention"] for name in PRECISIONS]
    assert differences == sorted(differences) and differences[1] < 0.1


def test_attention_is_transformers_own(model: Idefics3ForConditionalGeneration, folder: Path) -> None:
    ids = [50, 61, 72, 83, 94, 105, 116]
    found = OnnxModel(folder).attention(embeds_of(model, ids))
    assert found.shape == (1, 2, 7)
    np.testing.assert_allclose(found[0], torch_attention(model, ids), atol=5e-6)


def test_after_a_prefix_in_the_cache(model: Idefics3ForConditionalGeneration, folder: Path) -> None:
    """The cache has more places than tokens, and what lies in them must not count."""
    fused, ids = OnnxModel(folder), [50, 61, 72, 83, 94, 105, 116]
    _, cache = fused.decode(embeds_of(model, ids[:4]), np.ones((1, 4), np.int64), fused.empty_cache())
    room = {name: np.concatenate([past, np.full((1, 2, 9, 16), 7, np.float32)], 2) for name, past in cache.items()}
    found = attend(fused, embeds_of(model, ids[4:]), np.ones((1, 7), np.int64), room, [[2]])
    np.testing.assert_allclose(found[0], torch_attention(model, ids), atol=5e-6)


def test_it_is_of_the_last_token_that_is_wanted(model: Idefics3ForConditionalGeneration, folder: Path) -> None:
    fused, ids = OnnxModel(folder), [50, 61, 72, 83, 94, 105, 116]
    found = attend(fused, embeds_of(model, ids), np.ones((1, 7), np.int64), fused.empty_cache(), [[1, 3]])
    np.testing.assert_allclose(found[0, :, :4], torch_attention(model, ids[:4]), atol=5e-6)
    assert not found[0, :, 4:].any()


def test_rows_of_other_lengths(model: Idefics3ForConditionalGeneration, folder: Path) -> None:
    fused, long, short = OnnxModel(folder), [50, 61, 72, 83, 94], [60, 71, 82]
    embeds = np.concatenate([embeds_of(model, long), embeds_of(model, [*short, 0, 0])])
    mask = np.array([[1] * 5, [1, 1, 1, 0, 0]], dtype=np.int64)
    found = attend(fused, embeds, mask, fused.empty_cache(2), [[4], [2]])
    np.testing.assert_allclose(found[0], torch_attention(model, long), atol=5e-6)
    np.testing.assert_allclose(found[1, :, :3], torch_attention(model, short), atol=5e-6)
    assert not found[1, :, 3:].any()


def test_verify_reads_it(folder: Path, checkpoint: Path) -> None:
    checks = list(verify(folder, Against(checkpoint, floor=0)))
    assert [check.text for check in checks if not check.passed] == []
    assert "fp32: attention of layers 1, 0" in [check.text for check in checks]


@pytest.mark.parametrize("attention", [{}, {"layers": []}, {"layers": [1.5]}, {"layers": "1"}, [1]])
def test_verify_refuses_a_manifest_without_layers(folder: Path, tmp_path: Path, attention: object) -> None:
    manifest = json.loads((folder / "cropvlm.json").read_text(encoding="utf-8"))
    (tmp_path / "cropvlm.json").write_text(json.dumps(manifest | {"attention": attention}), encoding="utf-8")
    (first,) = list(verify(tmp_path))
    assert not first.passed and "`attention.layers` is no list of layers" in first.text


def test_verify_finds_a_graph_without_it(checkpoint: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "plain"
    export(checkpoint, out, role="cropper", model_id="plain")
    manifest = json.loads((out / "cropvlm.json").read_text(encoding="utf-8"))
    assert "attention" not in manifest and "attention" not in manifest["scores"]["parity"]["fp32"]
    (out / "cropvlm.json").write_text(json.dumps(manifest | {"attention": {"layers": [0]}}), encoding="utf-8")
    failed = [check.text for check in verify(out, Against(checkpoint)) if not check.passed]
    assert failed[0] == "fp32: attention of layers 0: the graph gives no attention; export the model again"
    assert "export it again with --attention" in failed[1]


def test_layers_that_there_are_not(checkpoint: Path, tmp_path: Path) -> None:
    for layers in ([2], [-1], [0, 0]):
        with pytest.raises(ValueError, match="give different ones of 0 to 1"):
            export(checkpoint, tmp_path / "out", role="cropper", model_id="x", attention=layers)
    with pytest.raises(ValueError, match="leave out --attention or --hub-layout"):
        export(checkpoint, tmp_path / "out", role="cropper", model_id="x", attention=[], hub_layout=True)


def test_without_layers_the_one_in_the_middle(checkpoint: Path, tmp_path: Path) -> None:
    made = export(checkpoint, tmp_path / "out", role="cropper", model_id="x", attention=[], parity_prompts=1)
    assert made["attention"] == {"layers": [1]}


def test_attention_beyond_the_tolerance_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ParityError):
        export(checkpoint, tmp_path / "out", role="cropper", model_id="x", attention=[0], tolerance=1e-12)
