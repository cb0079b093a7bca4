"""Our side: a step as `cropvlm_trainer/grpo/train.py` takes it, images read from their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from accelerate import Accelerator
from work import BETA, LEARNING_RATE, MAX_GRAD_NORM, TEMPERATURE, Work, filled, forbidden, prompt_sizes

from cropvlm_trainer.grpo.accumulate import accumulate_gradients, examples_ahead
from cropvlm_trainer.grpo.step import Reward
from cropvlm_trainer.grpo.train import prepare
from cropvlm_trainer.training.stages import GrpoConfig


def build(work: Work) -> tuple[Callable[[int], float], list[dict[str, int]]]:
    """A function that takes the step of a number and returns its tokens a completion, and the sizes of the prompts."""
    config = GrpoConfig(
        base=Path(work.base),
        data=Path(work.data),
        out=Path("unused"),
        resolution=work.resolution,
        reward_resolution=work.reward_resolution,
        group=work.group,
        temperature=TEMPERATURE,
        beta=BETA,
        max_new_tokens=work.new_tokens,
        learning_rate=LEARNING_RATE,
        max_grad_norm=MAX_GRAD_NORM,
        batch=work.questions,
        micro_batch=1,
        precision=work.precision,
        gradient_checkpointing=work.checkpointing,
        workers=0,
        lora=work.lora,
    )
    accelerator = Accelerator(mixed_precision="bf16" if work.precision == "bf16" else "no", cpu=work.device == "cpu")
    policy, compute_loss = prepare(config, accelerator.device)
    compute_loss.reward = with_boxes(compute_loss.reward)
    compute_loss.suppressed = torch.tensor(forbidden(compute_loss.encoder.tokenizer), device=accelerator.device)
    optimizer = torch.optim.AdamW(policy.trained_parameters, lr=config.learning_rate, weight_decay=0.0)

    def step(number: int) -> float:
        rows = work.batch(number)
        examples = examples_ahead(config, compute_loss.tile, rows, most=len(rows))
        scalars = accumulate_gradients(config, accelerator, policy, compute_loss, rows, examples, number)
        torch.nn.utils.clip_grad_norm_(policy.trained_parameters, config.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return scalars["tokens"]

    return step, prompt_sizes(work, compute_loss.encoder, compute_loss.tile)


def with_boxes(reward: Reward) -> Reward:
    return lambda examples, boxes: reward(examples, filled(boxes))
