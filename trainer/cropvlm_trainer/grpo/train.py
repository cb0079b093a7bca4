"""`cropvlm-train grpo`: the policy learns from a reward VLM which crops help (paper, Section 3).

Under `accelerate launch` each process takes its share of every batch; gradients are summed over the processes, and each
question draws from a generator of its own, so the mathematics is that of one process.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Literal

import torch
from accelerate import Accelerator
from tqdm import tqdm
from transformers import get_cosine_schedule_with_warmup

from cropvlm_trainer.config import to_table
from cropvlm_trainer.data.manifest import read_rows
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.grpo.reward_model import Example, RewardModel
from cropvlm_trainer.grpo.rewards import REWARDS
from cropvlm_trainer.grpo.run import Run
from cropvlm_trainer.grpo.step import Sampling, Step
from cropvlm_trainer.image_processing import load_image
from cropvlm_trainer.lora import TRAINED, LoraSettings, add_lora, load_lora
from cropvlm_trainer.model import load_checkpoint
from cropvlm_trainer.prompts import PromptEncoder


@dataclass(frozen=True)
class GrpoConfig:
    base: Path
    """checkpoint folder: policy, reference and reward VLM"""
    data: Path
    """manifest (JSONL); its images lie beside it"""
    out: Path
    """run folder"""
    adapter: Path | None = None
    """LoRA adapter of the SFT to start from; None starts from the base"""
    resolution: int = 512
    """longest edge of the policy's images, pixels"""
    reward: Literal["log_likelihood", "accuracy"] = "log_likelihood"
    reward_resolution: int = 512
    recipe: Literal["paper", "released"] = "paper"
    group: int = 6
    temperature: float = 0.8
    beta: float = 0.01
    max_new_tokens: int = 32
    learning_rate: float = 5e-6
    max_grad_norm: float = 0.1
    warmup: float = 0.03
    """share of the steps"""
    batch: int = 16
    """questions a step"""
    micro_batch: int = 1
    """questions in one pass"""
    epochs: int = 1
    max_steps: int | None = None
    seed: int = 0
    precision: Literal["bf16", "fp32"] = "bf16"
    gradient_checkpointing: bool = True
    """of the vision tower"""
    save_every: int = 50
    lora: LoraSettings = field(default_factory=LoraSettings)

    def __post_init__(self) -> None:
        if self.group < 2:
            raise ValueError("group must be 2 or more: advantages compare a question's boxes; the paper has 6")
        if self.batch % self.micro_batch:
            raise ValueError(f"batch ({self.batch}) must be a multiple of micro_batch ({self.micro_batch})")
        if not self.temperature > 0:
            raise ValueError("temperature must be above 0, or all boxes of a group are the same; the paper has 0.8")


def train(config: GrpoConfig) -> None:
    """Trains, or goes on where `out/state.pt` stands; leaves `config.json`, `log.jsonl` and `adapter/` in `out`."""
    accelerator = Accelerator(mixed_precision="bf16" if config.precision == "bf16" else "no")
    rows = read_rows(config.data)
    steps = config.epochs * len(rows) // config.batch
    steps = min(steps, config.max_steps or steps)
    if not steps:
        raise ValueError(f"{config.data} has {len(rows)} questions, less than a batch of {config.batch}; lower batch")
    per_process = config.batch // accelerator.num_processes
    if config.batch % accelerator.num_processes or per_process % config.micro_batch:
        raise ValueError(
            f"batch {config.batch} cannot be shared by {accelerator.num_processes} processes in micro-batches of "
            f"{config.micro_batch}; choose a batch that is a multiple of their product"
        )
    policy, step_on = prepare(config, accelerator.device)
    optimizer = torch.optim.AdamW(policy.trained, lr=config.learning_rate, weight_decay=0.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, round(config.warmup * steps), steps)
    run = Run(config.out, to_table(config), policy.trained, optimizer, schedule, accelerator.is_main_process)
    batches = [batch for epoch in range(config.epochs) for batch in shuffled(rows, config, epoch)]
    for number in tqdm(range(run.first, steps), initial=run.first, total=steps, desc="grpo", disable=not run.main):
        since = time.monotonic()
        # Dropout, too, goes by the step alone, so that a resumed run draws what a whole one would.
        torch.manual_seed(config.seed * 1_000_003 + number)
        mine = batches[number][accelerator.process_index :: accelerator.num_processes]
        scalars = accumulate(config, accelerator, policy, step_on, mine, number)
        scalars["grad_norm"] = torch.nn.utils.clip_grad_norm_(policy.trained, config.max_grad_norm).item()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        scalars |= {"lr": schedule.get_last_lr()[0], "seconds": time.monotonic() - since}
        schedule.step()
        run.log(number + 1, scalars)
        if (number + 1) % config.save_every == 0 or number + 1 == steps:
            run.save(number + 1)
    run.close()
    if run.main:
        policy.peft.save_pretrained(config.out / "adapter", selected_adapters=[TRAINED])
    accelerator.end_training()


def prepare(config: GrpoConfig, device: torch.device) -> tuple[Policy, Step]:
    """The model in its three parts, and the step that trains it."""
    model, processor = load_checkpoint(config.base)
    tile = model.config.vision_config.image_size
    for name in ("resolution", "reward_resolution"):
        if getattr(config, name) % tile:
            raise ValueError(f"{name} {getattr(config, name)} must be a multiple of the model's tiles, {tile} pixels")
    if config.gradient_checkpointing:
        model.model.vision_model.gradient_checkpointing_enable({"use_reentrant": False})
    torch.manual_seed(config.seed)
    peft = load_lora(model, config.adapter) if config.adapter else add_lora(model, config.lora)
    policy = Policy(peft.to(device))
    policy.peft.train()
    encoder = PromptEncoder(processor)
    reward = REWARDS[config.reward](policy, RewardModel(policy.model, encoder, config.reward_resolution))
    sampling = Sampling(
        config.resolution, config.group, config.temperature, config.max_new_tokens, config.beta, config.recipe
    )
    return policy, Step(policy, encoder, reward, sampling)


def shuffled(rows: Sequence[dict], config: GrpoConfig, epoch: int) -> list[list[dict]]:
    """The batches of one epoch; what does not fill one is left out."""
    order = list(rows)
    Random(f"{config.seed}/{epoch}").shuffle(order)
    return [order[i : i + config.batch] for i in range(0, len(order) - config.batch + 1, config.batch)]


def accumulate(
    config: GrpoConfig, accelerator: Accelerator, policy: Policy, step_on: Step, rows: Sequence[dict], number: int
) -> dict[str, float]:
    """Leaves the batch's gradients, summed over processes, on the policy -> means of the scalars."""
    seen: dict[str, list[torch.Tensor]] = defaultdict(list)
    for start in range(0, len(rows), config.micro_batch):
        some = rows[start : start + config.micro_batch]
        examples = [
            Example(
                load_image(config.data.parent / row["image"]), row["question"], row["answers"], row.get("source", "")
            )
            for row in some
        ]
        generators = [torch.Generator().manual_seed(draw_seed(config.seed, number, row["id"])) for row in some]
        with accelerator.autocast():
            loss, scalars = step_on(examples, generators)
        (loss * len(some) / config.batch).backward()
        for name, value in {"loss": loss.detach(), **scalars}.items():
            seen[name].append(value.float().to(accelerator.device))
    for parameter in policy.trained:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        parameter.grad = accelerator.reduce(parameter.grad, reduction="sum")
    return _means(accelerator, seen)


def draw_seed(seed: int, number: int, row_id: str) -> int:
    return int.from_bytes(sha256(f"{seed}/{number}/{row_id}".encode()).digest()[:8]) >> 1


def _means(accelerator: Accelerator, seen: dict[str, list[torch.Tensor]]) -> dict[str, float]:
    """Over micro-batches and processes; a scalar that some have not (the area, without a valid box) over the others."""
    names = sorted(seen)
    everyone = [name for names in _gathered(names) for name in names]
    means = {}
    for name in sorted(set(everyone)):
        values = seen.get(name, [])
        pair = torch.tensor([float(sum(v.item() for v in values)), float(len(values))], device=accelerator.device)
        total, count = accelerator.reduce(pair, reduction="sum").tolist()
        means[name] = total / count
    return means


def _gathered(names: list[str]) -> list[list[str]]:
    if not torch.distributed.is_initialized():
        return [names]
    everyone: list = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(everyone, names)
    return everyone
