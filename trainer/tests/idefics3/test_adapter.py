"""LoRA adapters are merged into their base before the export."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoProcessor

from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.export.check.expected import make_prompt
from cropvlm_trainer.export.export import export
from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.adapter import find_base, merge, open_checkpoint, open_for_inference, weight_files
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint, save_checkpoint

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "fc1", "fc2", "proj"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A base and an adapter of it whose updates are not zero."""
    from peft import LoraConfig, get_peft_model

    root = tmp_path_factory.mktemp("lora")
    base, adapter = root / "base", root / "adapter"
    save_checkpoint(tiny_model(5), TINY, tiny_tokenizer(), base, {"recipe": "the base's"})
    model, _ = load_checkpoint(base)
    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=8, lora_dropout=0.05, target_modules=TARGETS, init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(adapter)
    return base, adapter


def logits_of(model: torch.nn.Module, base: Path) -> torch.Tensor:
    """Computed in 64 bits: in 32 the adapter's logits are 3e-5 from their own exact values, whatever is merged."""
    image = pattern_image("hash", 300, 200)
    inputs = make_prompt(AutoProcessor.from_pretrained(base), [image], "Where is it?", 128).inputs
    inputs["pixel_values"] = inputs["pixel_values"].double()
    with torch.no_grad():
        return model.double().eval()(**inputs).logits


def test_merged_logits_are_the_adapters(folders: tuple[Path, Path]) -> None:
    base, adapter = folders
    plain = logits_of(load_checkpoint(base)[0], base)
    beside = logits_of(PeftModel.from_pretrained(load_checkpoint(base)[0], adapter), base)
    merged = merge(load_checkpoint(base)[0], adapter)
    torch.testing.assert_close(logits_of(merged, base), beside, atol=1e-5, rtol=0)
    assert (beside - plain).abs().max() > 0.1
    assert merge(load_checkpoint(base)[0], adapter).dtype == torch.float32
    assert not any("lora" in name for name in merged.state_dict())


def test_export_of_an_adapter(folders: tuple[Path, Path], tmp_path: Path) -> None:
    base, adapter = folders
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == str(base)
    manifest = export(adapter, tmp_path / "out", role="cropper", model_id="merged", parity_prompts=2)
    assert manifest["scores"]["parity"]["fp32"]["greedy_equal"] == "2/2"
    assert manifest["training"]["recipe"] == "LoRA adapter, not recorded"
    assert manifest["training"]["base"]["recipe"] == "the base's"
    plain = export(base, tmp_path / "plain", role="cropper", model_id="base", parity_prompts=1)
    for name in ("config.json", "tokenizer.json", "preprocessor_config.json", "onnx/embed_tokens.onnx"):
        assert manifest["sha256"][name] == plain["sha256"][name]
    for name in ("onnx/vision_encoder.onnx", "onnx/decoder_model_merged.onnx"):
        assert manifest["sha256"][name] != plain["sha256"][name]


def test_files_of_the_adapter_come_first(folders: tuple[Path, Path], tmp_path: Path) -> None:
    base, adapter = tmp_path / "moved", tmp_path / "mine"
    shutil.copytree(folders[0], base)
    shutil.copytree(folders[1], adapter)
    (adapter / "training.json").write_text('{"recipe": "lora sft", "steps": 7}')
    changed = json.loads((base / "tokenizer.json").read_text()) | {"version": "1.0", "truncation": None}
    (adapter / "tokenizer.json").write_text(json.dumps(changed))
    shutil.copyfile(base / "tokenizer_config.json", adapter / "tokenizer_config.json")
    with open_checkpoint(adapter, base) as (_, processor, files):
        assert (files / "tokenizer.json").read_text() == (adapter / "tokenizer.json").read_text()
        assert (files / "preprocessor_config.json").read_text() == (base / "preprocessor_config.json").read_text()
        # Of the tokenizer's family the base's are not mixed in.
        assert (base / "special_tokens_map.json").exists() and not (files / "special_tokens_map.json").exists()
        assert json.loads((files / "training.json").read_text())["steps"] == 7
        assert processor.image_seq_len == 16
    assert not files.exists()


def test_where_the_base_is(folders: tuple[Path, Path], tmp_path: Path) -> None:
    base, adapter = folders
    for named in (None, "HuggingFaceTB/SmolVLM-256M-Instruct"):
        (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": named}))
        with pytest.raises(FileNotFoundError, match="name its folder with --base"):
            find_base(tmp_path, None)
        assert find_base(tmp_path, base) == base
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "../beside"}')
    shutil.copytree(base, tmp_path.parent / "beside")
    assert find_base(tmp_path, None).resolve() == tmp_path.parent / "beside"
    with pytest.raises(FileNotFoundError, match=r"is not there \(.*nowhere\)"):
        find_base(adapter, tmp_path / "nowhere")
    with (
        pytest.raises(ValueError, match="is no adapter .* leave out --base"),
        open_checkpoint(base, base),
    ):
        pass


def test_an_adapter_that_lacks_weights_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    base, adapter = folders
    shutil.copytree(adapter, tmp_path / "torn")
    weights = load_file(adapter / "adapter_model.safetensors")
    dropped = [name for name in weights if "vision_model.encoder.layers.1.mlp.fc1" in name]
    kept = {name: value for name, value in weights.items() if name not in dropped}
    save_file(kept, tmp_path / "torn" / "adapter_model.safetensors", {"format": "pt"})
    assert len(dropped) == 2
    with pytest.raises(ValueError, match="does not fit its base: 2 weights are missing, 0 are of no layer, as .*fc1"):
        merge(load_checkpoint(base)[0], tmp_path / "torn")


def test_an_adapter_is_opened_to_answer_with(folders: tuple[Path, Path]) -> None:
    base, adapter = folders
    opened = open_for_inference(adapter, 2 * TINY.tile, "cpu")
    assert (opened.tile, opened.longest_edge) == (TINY.tile, 2 * TINY.tile)
    assert not opened.model.training and not any(weight.requires_grad for weight in opened.model.parameters())
    expected = merge(load_checkpoint(base)[0], adapter).state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in opened.model.state_dict().items())
    assert open_for_inference(base, device="cpu").longest_edge == TINY.tile
    with pytest.raises(ValueError, match="base cannot see images at this longest edge: 100 must be a multiple"):
        open_for_inference(base, 100)
    with pytest.raises(ValueError, match="^--resolution 100 must be a multiple"):
        open_for_inference(base, 100, option="--resolution")


def test_an_adapters_weights_are_its_own_and_its_bases(folders: tuple[Path, Path]) -> None:
    base, adapter = folders
    assert weight_files(base) == [base / "model.safetensors"]
    assert weight_files(adapter) == [adapter / "adapter_model.safetensors", base / "model.safetensors"]
