"""With dropout, boxes are drawn from the very prefix that is trained: tiles and prompt share one mask."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoProcessor

from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.grpo import step as module
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.grpo.step import Step, StepSettings
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.lora import LoraSettings, add_lora
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import Example

EXAMPLES = [Example(pattern_image("strokes", 90, 70), "What is the total?", ["7"])]


@pytest.fixture
def step(tmp_path) -> Step:
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), tmp_path, TRAINING)
    peft = add_lora(tiny_model(2), LoraSettings(r=4, alpha=8, dropout=0.3))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in peft.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, 0.2, generator=generator)
    policy = Policy(peft)
    policy.peft_model.train()
    encoder = PromptEncoder(AutoProcessor.from_pretrained(tmp_path))
    return Step(policy, encoder, lambda *_: {"place": torch.arange(6.0)[None]}, StepSettings(64, max_new_tokens=4))


def test_the_prefix_is_one_pass_and_the_reference_has_no_dropout(step, monkeypatch):
    drawn, scored = [], []
    sample, log_probs = module.sample, module.log_probs

    def watched_sample(model, prefix, **how):
        drawn.append(prefix.last_hidden.clone())
        return sample(model, prefix, **how)

    def watched_log_probs(model, prefix, *rest):
        scored.append((model.training, prefix.last_hidden.detach().clone()))
        return log_probs(model, prefix, *rest)

    monkeypatch.setattr(module, "sample", watched_sample)
    monkeypatch.setattr(module, "log_probs", watched_log_probs)
    for seed in (1, 2):
        torch.manual_seed(seed)
        step(EXAMPLES, [torch.Generator().manual_seed(1)])
    (_, reference), (trained, policy), (_, reference_again), (_, policy_again) = scored
    assert trained and torch.equal(policy, drawn[0]) and torch.equal(policy_again, drawn[1])
    assert not torch.allclose(policy, policy_again, atol=1e-3), "dropout is on, and drawn anew each step"
    assert [training for training, _ in scored] == [False, True, False, True]
    assert torch.equal(reference, reference_again)
