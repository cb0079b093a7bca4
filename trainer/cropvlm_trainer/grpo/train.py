"""`cropvlm-train grpo`: the policy learns from a reward VLM which crops help (paper, Section 3).

Under `accelerate launch` each process takes its share of every batch; gradients are summed over the processes, and each
question draws from a generator of its own, so the mathematics is that of one process.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from tqdm import tqdm
from transformers import get_cosine_schedule_with_warmup

from cropvlm_trainer.grpo.data import read_questions
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.grpo.rewards import REWARDS
from cropvlm_trainer.grpo.step import Drawn, Sampling, Step
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint, read_training
from cropvlm_trainer.idefics3.forward import set_training_attention
from cropvlm_trainer.idefics3.image_processing import load_image
from cropvlm_trainer.idefics3.lora import add_lora, load_lora, save_lora
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.resolution import check_resolution
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel
from cropvlm_trainer.training.config import to_table
from cropvlm_trainer.training.order import shuffled
from cropvlm_trainer.training.run import Run
from cropvlm_trainer.training.samples import Sample, draw_samples
from cropvlm_trainer.training.stages import GrpoConfig

SAMPLES = 4
"""questions in one set of pictures"""


def train(config: GrpoConfig) -> None:
    """Trains, or goes on where `out/state.pt` stands.

    Leaves in `out`: `config.json`, `log.jsonl`, `events/` (TensorBoard), `samples/` (pictures) and `adapter/`.
    """
    accelerator = Accelerator(mixed_precision="bf16" if config.precision == "bf16" else "no")
    rows = read_questions(config.data)
    order = shuffled(rows, config.epochs, config.batch, config.seed)
    batches = [order[start : start + config.batch] for start in range(0, len(order), config.batch)][: config.max_steps]
    steps = len(batches)
    if not steps:
        raise ValueError(f"{config.data} has {len(rows)} questions, less than a batch of {config.batch}; lower batch")
    config.check_processes(accelerator.num_processes)
    policy, step_on = prepare(config, accelerator.device)
    optimizer = torch.optim.AdamW(policy.trained, lr=config.learning_rate, weight_decay=0.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, round(config.warmup * steps), steps)
    run = Run(config.out, to_table(config), policy.trained, optimizer, schedule, accelerator.is_main_process)
    bar = tqdm(range(run.first, steps), initial=run.first, total=steps, desc="grpo", disable=not run.main)
    for number in bar:
        since = time.monotonic()
        # Dropout, too, goes by the step (and process) alone, so that a resumed run draws what a whole one would.
        torch.manual_seed(draw_seed(config.seed, number, f"dropout/{accelerator.process_index}"))
        mine = batches[number][accelerator.process_index :: accelerator.num_processes]
        last = number + 1 == steps
        drawn = config.sample_every and (last or (number + 1) % config.sample_every == 0)
        samples = [] if run.main and drawn else None
        scalars = accumulate(config, accelerator, policy, step_on, mine, number, samples)
        scalars["grad_norm"] = torch.nn.utils.clip_grad_norm_(policy.trained, config.max_grad_norm).item()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        scalars |= {"lr": schedule.get_last_lr()[0], "seconds": time.monotonic() - since}
        schedule.step()
        run.log(number + 1, scalars)
        bar.set_postfix(reward=f"{scalars['reward']:.3f}", kl=f"{scalars['kl']:.4f}")
        if samples:
            draw_samples(config.out, number + 1, samples)
        if last or (number + 1) % config.save_every == 0:
            run.save(number + 1)
    run.close()
    if run.main:
        training = {"stage": "grpo", "steps": steps, **to_table(config)}
        if config.adapter:
            training["adapter"] = read_training(config.adapter)
        save_lora(policy.peft, config.out / "adapter", config.base, training)
    accelerator.end_training()


def prepare(config: GrpoConfig, device: torch.device) -> tuple[Policy, Step]:
    """The model in its three parts, and the step that trains it."""
    model, processor = load_checkpoint(config.base)
    tile = model.config.vision_config.image_size
    for name in ("resolution", "reward_resolution"):
        check_resolution(name, getattr(config, name), tile)
    set_training_attention(model, device)
    if config.gradient_checkpointing:
        model.model.vision_model.gradient_checkpointing_enable({"use_reentrant": False})
    torch.manual_seed(config.seed)
    peft = load_lora(model, config.adapter, config.lora) if config.adapter else add_lora(model, config.lora)
    policy = Policy(peft.to(device))
    policy.peft.train()
    encoder = PromptEncoder(processor)
    reward = REWARDS[config.reward](policy, RewardModel(policy.model, encoder, config.reward_resolution))
    sampling = Sampling(
        config.resolution, config.group, config.temperature, config.max_new_tokens, config.beta, config.recipe
    )
    return policy, Step(policy, encoder, reward, sampling)


def accumulate(
    config: GrpoConfig,
    accelerator: Accelerator,
    policy: Policy,
    step_on: Step,
    rows: Sequence[dict],
    number: int,
    samples: list[Sample] | None = None,
) -> dict[str, float]:
    """Leaves the batch's gradients, summed over processes, on the policy -> means of the scalars.

    What was drawn for the first questions goes into `samples`, where it is given.
    """
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
        if samples is not None and len(samples) < SAMPLES:
            samples += to_samples(some, examples, step_on.drawn)[: SAMPLES - len(samples)]
    for parameter in policy.trained:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        parameter.grad = accelerator.reduce(parameter.grad, reduction="sum")
    return _means(accelerator, seen)


def to_samples(rows: Sequence[dict], examples: Sequence[Example], drawn: Drawn) -> list[Sample]:
    """A picture for each question: the group's boxes, in the note their rewards in the same order."""
    rewards = {name: values.tolist() for name, values in drawn.rewards.items()}
    samples = []
    for place, (row, example, boxes) in enumerate(zip(rows, examples, drawn.boxes, strict=True)):
        lines = [f"{name}: " + ", ".join(f"{v:.2f}" for v in values[place]) for name, values in rewards.items()]
        samples.append(Sample(example.image, example.question, boxes, row.get("box"), "\n".join(lines)))
    return samples


def draw_seed(seed: int, number: int, row_id: str) -> int:
    return int.from_bytes(sha256(f"{seed}/{number}/{row_id}".encode()).digest()[:8]) >> 1


def _means(accelerator: Accelerator, seen: dict[str, list[torch.Tensor]]) -> dict[str, float]:
    """Over micro-batches and processes; a scalar that some have not (the area, without a valid box) over the others."""
    means = {}
    for name in sorted(set(gather_object(list(seen)))):
        values = seen.get(name, [])
        pair = torch.tensor([float(sum(v.item() for v in values)), float(len(values))], device=accelerator.device)
        total, count = accelerator.reduce(pair, reduction="sum").tolist()
        means[name] = total / count
    return means
