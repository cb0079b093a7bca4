"""Our whole step against TRL's own GRPOTrainer on the same questions, completions and rewards.

TRL makes its prompts, tiles, reference log-probabilities, advantages and loss itself; only what it would sample is
given. Weights are float64, so that what differs is the mathematics and not the order of sums.
"""

from __future__ import annotations

import pytest
import torch
from transformers import AutoProcessor

from cropvlm_trainer.contract import END_OF_UTTERANCE, cropper_prompt
from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.grpo import step as step_module
from cropvlm_trainer.grpo.loss import advantages
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.grpo.step import Step, StepSettings
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.generation import Completions
from cropvlm_trainer.idefics3.image_processing import tile_grid
from cropvlm_trainer.idefics3.lora import TRAINED, LoraSettings, add_lora
from cropvlm_trainer.idefics3.prompts import PromptEncoder, prompt_grid
from cropvlm_trainer.idefics3.reward_model import Example

trl = pytest.importorskip("trl", reason="TRL is not installed: pip install -e 'trainer[dev]'")
datasets = pytest.importorskip("datasets", reason="TRL's trainer takes its questions from a datasets.Dataset")

EDGE, GROUP, MAX_TOKENS, TEMPERATURE = 128, 3, 6, 0.8
LENGTHS = (6, 1, 4, 3, 6, 2)
TRUNCATED = (0,)
"""Rows that run to the limit without an end; row 4 ends on its last token."""
EXAMPLES = [
    Example(pattern_image("strokes", 90, 70), "What is the total?", ["7"]),
    Example(pattern_image("hash", 128, 40), "What number is under the red circle, and which line is left?", ["here"]),
]
REWARDS = {
    "likelihood": torch.tensor([[-3.5, -0.25, -12.0], [-2.0, -2.5, -1.0]]),
    "format": torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]),
}
AS_TRL_NAMES_IT = {
    "paper": {"loss_type": "grpo", "scale_rewards": "group", "temperature": TEMPERATURE},
    # The released code draws at the temperature and scores at 1; TRL, which draws nothing here, knows one of the two.
    "released": {"loss_type": "dr_grpo", "scale_rewards": "none", "temperature": 1.0},
}


@pytest.fixture(scope="module")
def processor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), folder, TRAINING)
    processor = AutoProcessor.from_pretrained(folder)
    processor.image_processor.size = {"longest_edge": EDGE}
    return processor


@pytest.fixture(scope="module")
def completions(processor) -> Completions:
    tokenizer = processor.tokenizer
    ids = torch.randint(60, 300, (len(LENGTHS), MAX_TOKENS), generator=torch.Generator().manual_seed(5))
    mask = torch.arange(MAX_TOKENS) < torch.tensor(LENGTHS)[:, None]
    ended = torch.tensor([row not in TRUNCATED for row in range(len(LENGTHS))])
    for row, length in enumerate(LENGTHS):
        if ended[row]:
            ids[row, length - 1] = tokenizer.convert_tokens_to_ids(END_OF_UTTERANCE)
    return Completions(ids.masked_fill(~mask, tokenizer.pad_token_id), mask, ended)


def adapted():
    """The same LoRA model each time; its adapter, which does something, is where training starts."""
    torch.manual_seed(1)
    model = add_lora(tiny_model(2), LoraSettings(r=4, alpha=8, dropout=0.0)).double()
    stir(model, 3)
    return model


@torch.no_grad()
def stir(model, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if f"lora_B.{TRAINED}" in name:
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype), alpha=0.05)


def gradients(model, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad(set_to_none=True)
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def our_step(processor, completions, rewards, monkeypatch, recipe: str, beta: float, **more) -> Step:
    """Our step, on shared prefixes."""
    policy = Policy(adapted(), has_reference=beta > 0)
    stir(policy.peft_model, 4)
    policy.peft_model.train()
    settings = StepSettings(EDGE, GROUP, TEMPERATURE, MAX_TOKENS, beta, recipe, **more)
    monkeypatch.setattr(step_module, "sample", lambda *args, **kwargs: completions)
    return Step(policy, PromptEncoder(processor), lambda *args: rewards, settings)


def ours(processor, completions, rewards, monkeypatch, recipe: str, beta: float):
    """What our step gives -> (model, loss, scalars)."""
    step = our_step(processor, completions, rewards, monkeypatch, recipe, beta)
    return step.policy.peft_model, *step(EXAMPLES, [])


def theirs(processor, completions, rewards, folder, recipe: str, beta: float, **more):
    """TRL's trainer on the same -> (trainer, its inputs, loss)."""

    class Given(trl.GRPOTrainer):
        def _generate_single_turn(self, *args, **kwargs):
            return [ids[mask].tolist() for ids, mask in zip(completions.ids, completions.mask, strict=True)], None

    def named(name):
        def reward(completions, **kwargs):
            return rewards[name].flatten().tolist()

        reward.__name__ = name
        return reward

    rows = [
        {"prompt": [{"role": "user", "content": cropper_prompt(example.question)}], "image": example.image}
        for example in EXAMPLES
    ]
    args = trl.GRPOConfig(
        output_dir=str(folder),
        per_device_train_batch_size=len(EXAMPLES) * GROUP,
        num_generations=GROUP,
        max_completion_length=MAX_TOKENS,
        beta=beta,
        # k3 as the paper has it; TRL's default multiplies it by the ratio, which alters its gradient.
        use_bias_correction_kl=False,
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to="none",
        **AS_TRL_NAMES_IT[recipe],
        **more,
    )
    trainer = Given(
        adapted(), [named(name) for name in rewards], args, datasets.Dataset.from_list(rows), processing_class=processor
    )
    stir(trainer.model, 4)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1  # what its train() sets
    inputs = trainer._generate_and_score_completions([row for row in rows for _ in range(GROUP)])
    return trainer, inputs, trainer._compute_loss(trainer.model, inputs)


@pytest.mark.parametrize("beta", [0.0, 0.5])
@pytest.mark.parametrize("recipe", ["paper", "released"])
def test_loss_and_gradients_are_those_of_trl(processor, completions, tmp_path, monkeypatch, recipe, beta):
    model, loss, scalars = ours(processor, completions, REWARDS, monkeypatch, recipe, beta)
    trainer, inputs, expected = theirs(processor, completions, REWARDS, tmp_path, recipe, beta)
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)
    if beta:
        (kl,) = trainer._metrics["train"]["kl"]
        assert kl > 0.01, "the policy has left its reference, or the KL is not tested"
        assert scalars["kl"].item() == pytest.approx(kl, abs=1e-6)
    assert ("kl" in scalars) == (beta > 0), "without weight there is no reference"
    assert_same_gradients(gradients(model, loss), gradients(trainer.model, expected))


def assert_same_gradients(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    assert found.keys() == wanted.keys() and {name.split(".lora_")[1] for name in found} == {
        f"{part}.{TRAINED}.weight" for part in "AB"
    }
    assert any("vision_model" in name for name in found)
    scale = max(gradient.abs().max().item() for gradient in wanted.values())
    assert scale > 0.1
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-5, msg=name)


@pytest.mark.parametrize("epsilon_high", [None, 0.28])
@pytest.mark.parametrize(("recipe", "beta"), [("paper", 0.5), ("released", 0.0)])
def test_further_updates_are_those_of_trl(processor, completions, tmp_path, monkeypatch, recipe, beta, epsilon_high):
    """A second update with the same draws, of a policy that has moved so far that clipping matters."""
    step = our_step(
        processor, completions, REWARDS, monkeypatch, recipe, beta, mu=2, epsilon=0.1, epsilon_high=epsilon_high
    )
    step(EXAMPLES, [])
    (drawn,) = step.drawn
    stir(step.policy.peft_model, 5)
    loss, scalars = step.again(drawn)
    clip = {"num_iterations": 2, "epsilon": 0.1, "epsilon_high": epsilon_high}
    trainer, inputs, _ = theirs(processor, completions, REWARDS, tmp_path, recipe, beta, **clip)
    stir(trainer.model, 5)
    expected = trainer._compute_loss(trainer.model, inputs)
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)
    assert_same_gradients(gradients(step.policy.peft_model, loss), gradients(trainer.model, expected))
    ratios = trainer._metrics["train"]
    low, high = ratios["clip_ratio/low_mean"][-1], ratios["clip_ratio/high_mean"][-1]
    assert low > 0 and high > 0 and low + high < 1, "some are clipped on either side, and not all"
    assert scalars["clipped"].item() == pytest.approx(low + high, abs=1e-6)


def test_the_two_see_the_same(processor, completions, tmp_path):
    """Prompts of two lengths, pictures of 5 and of 3 tiles; a completion of one token, one that is cut off."""
    _, inputs, _ = theirs(processor, completions, REWARDS, tmp_path, "paper", 0.5)
    encoder = PromptEncoder(processor)
    lengths = set()
    for row in range(len(LENGTHS)):
        example = EXAMPLES[row // GROUP]
        prompt = encoder(cropper_prompt(example.question), [prompt_grid(example.image, EDGE, TINY.tile)])
        assert inputs["prompt_ids"][row][inputs["prompt_mask"][row].bool()].tolist() == prompt
        lengths.add(len(prompt))
    assert len(lengths) == 2
    assert [tile_grid(*example.image.size, EDGE, TINY.tile) for example in EXAMPLES] == [(2, 2), (1, 2)]
    assert inputs["pixel_values"].shape == (6, 5, 3, TINY.tile, TINY.tile)
    assert torch.equal(inputs["completion_ids"], completions.ids)
    assert torch.equal(inputs["completion_mask"].bool(), completions.mask)


@pytest.mark.parametrize("recipe", ["paper", "released"])
def test_advantages_are_those_of_trl(processor, completions, tmp_path, recipe):
    """Of rewards that are summed; in the second group all sums are equal."""
    rewards = {
        "likelihood": torch.tensor([[-3.5, -0.25, -12.0], [-1.0, -2.0, -1.5]]),
        "format": torch.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 0.5]]),
    }
    _, inputs, _ = theirs(processor, completions, rewards, tmp_path, recipe, 0.0)
    found = advantages(sum(rewards.values()), recipe)
    torch.testing.assert_close(found.flatten(), inputs["advantages"], atol=1e-6, rtol=0)
    assert found[0].abs().min() > 0.1 and found[1].tolist() == [0, 0, 0]
