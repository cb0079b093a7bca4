import pytest
import torch
from transformers import AutoConfig, Idefics3ForConditionalGeneration

from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model
from cropvlm_trainer.golden.settings import REAL_FILES
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.lora import LoraSettings, add_lora, load_lora

TILES = torch.randint(0, 256, (1, TINY.tile, TINY.tile, 3), generator=torch.Generator().manual_seed(1)).byte()
SETTINGS = LoraSettings(r=4, alpha=8, dropout=0.0)


def stirred(model, seed: int):
    """LoRA's B starts at 0; here it is drawn, so that the adapter does something."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B.default" in name:
                parameter.normal_(0, 0.1, generator=generator)
    return model


@pytest.fixture
def policy():
    return Policy(stirred(add_lora(tiny_model(2), SETTINGS), 3))


def count_trained(model) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


@torch.no_grad()
def features(model) -> torch.Tensor:
    return encode_tiles(model, TILES)


def test_one_model_plays_three_parts(policy):
    base = features(tiny_model(2))
    adapted = features(policy.model)
    assert not torch.allclose(base, adapted, atol=1e-3)
    with policy.reward_model() as model:
        assert torch.equal(features(model), base)
    with policy.reference_model() as model:
        assert torch.equal(features(model), adapted), "the reference starts where the policy does"
    with torch.no_grad():
        policy.trained_parameters[0].add_(0.1), policy.trained_parameters[1].add_(0.1)
    trained = features(policy.model)
    assert not torch.equal(trained, adapted)
    with policy.reference_model() as model:
        assert torch.equal(features(model), adapted), "and stays there"
    with policy.reward_model() as model:
        assert torch.equal(features(model), base)
    assert torch.equal(features(policy.model), trained)


def test_only_the_policy_learns_whatever_was_played(policy):
    policy.peft_model.train()
    loss = encode_tiles(policy.model, TILES).pow(2).mean()
    with policy.reference_model() as model:
        assert not model.training and not torch.is_grad_enabled()
    with policy.reward_model() as model:
        assert not model.training and not torch.is_grad_enabled()
    assert policy.model.training
    loss.backward()
    learning = {name for name, p in policy.peft_model.named_parameters() if p.grad is not None}
    assert learning and all("lora_" in name and ".default." in name for name in learning)
    assert {id(p) for p in policy.peft_model.parameters() if p.requires_grad} == {
        id(p) for p in policy.trained_parameters
    }


def test_an_adapter_is_saved_and_loaded_to_train_on(tmp_path):
    made = stirred(add_lora(tiny_model(2), SETTINGS), 3)
    made.save_pretrained(tmp_path)
    loaded = load_lora(tiny_model(2), tmp_path)
    assert torch.equal(features(loaded.base_model.model), features(made.base_model.model))
    assert count_trained(loaded) == count_trained(made) > 0
    with pytest.raises(FileNotFoundError, match="holds no adapter_config.json"):
        load_lora(tiny_model(2), tmp_path / "nothing")


@pytest.mark.skipif(not (REAL_FILES / "config.json").exists(), reason="needs ../shared/smolvlm-256m-instruct")
def test_the_full_size_model_has_the_papers_trainable_count():
    with torch.device("meta"):
        model = Idefics3ForConditionalGeneration(AutoConfig.from_pretrained(REAL_FILES))
        adapted = add_lora(model, LoraSettings())
    assert count_trained(adapted) == pytest.approx(59.6e6, abs=0.05e6)
    names = {name.split(".lora_A")[0].rsplit(".", 1)[1] for name, _ in adapted.named_parameters() if "lora_A" in name}
    assert names == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "fc1", "fc2", "proj"}
    assert not any("out_proj.lora" in name for name, _ in adapted.named_parameters())


def test_an_adapter_of_other_settings_is_refused(tmp_path):
    add_lora(tiny_model(2), SETTINGS).save_pretrained(tmp_path)
    load_lora(tiny_model(2), tmp_path, SETTINGS)
    with pytest.raises(ValueError, match=r"was trained as .*r=4.*not as .*r=8.*set \[lora\] to what the adapter has"):
        load_lora(tiny_model(2), tmp_path, LoraSettings(r=8, alpha=8, dropout=0.0))
