"""`cropvlm-train grpo`: trains a cropper without boxes, by Group Relative Policy Optimization (paper, Section 3).

For each question the policy draws a group of G boxes. A frozen VLM, the reward VLM, answers the question from the full
image and each box's crop. A box is worth as much as it helps to answer, and the policy is moved towards the boxes that
are better than their group's mean and away from the others. Beside this file: `data.py` has the rows, `policy.py` the
models, `rewards.py` what a box is worth, `loss.py` the mathematics, `step.py` one step's loss.

Under `accelerate launch` each process takes its share of every batch. Gradients are summed over the processes, and each
question's boxes are drawn with a generator of its own, so that the result is that of one process.

The loop is written by hand because TRL's GRPOTrainer encodes a question's tiles and prompt anew for each of its G
completions. `step.py` does it once, which takes 2.6 to 9.6 times less processor time (trainer/README.md). TRL is the
oracle: the tests hold loss and gradients equal to its.
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

from cropvlm_trainer.grpo.data import read_training_rows
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.grpo.rewards import REWARDS
from cropvlm_trainer.grpo.step import Step, StepOutcome, StepSettings
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint, read_training
from cropvlm_trainer.idefics3.forward import checkpoint_vision_encoder, set_training_attention
from cropvlm_trainer.idefics3.image_processing import check_resolution
from cropvlm_trainer.idefics3.lora import add_lora, load_lora, save_lora
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.training.config import to_table
from cropvlm_trainer.training.identity import identity, refuse_past
from cropvlm_trainer.training.order import batches
from cropvlm_trainer.training.run import Run
from cropvlm_trainer.training.samples import Sample, draw_samples
from cropvlm_trainer.training.stages import GrpoConfig
from cropvlm_trainer.training.stop import StopSignal, stopped_by_sigterm

MAX_PICTURES = 4
"""How many questions of a step are drawn as sample pictures, in the steps that draw any (`config.sample_every`)."""


def train(config: GrpoConfig) -> None:
    """Trains from the start, or goes on from `state.pt` where `config.out` has one.

    Leaves in `config.out`: `config.json`, `log.jsonl` (a row a step), `events/` (TensorBoard), `samples/` (pictures),
    `state.pt` and, at the end, `adapter/`.

    Raises ValueError for settings that cannot go together and for a folder that holds a run of other settings,
    FileNotFoundError where the base, the adapter, the manifest or an image is missing. SIGTERM ends the run after the
    step in progress, with its state saved and without an adapter.
    """
    # `cpu`: without it accelerate takes several processes without a GPU for one each.
    accelerator = Accelerator(
        mixed_precision="bf16" if config.precision == "bf16" else "no", cpu=not torch.cuda.is_available()
    )

    # Data: the rows of all steps, in order.
    order = batches(read_training_rows(config.data), config)
    steps = len(order)
    config.check_processes(accelerator.num_processes)

    # Model, optimizer, and the run folder, which restores the state of a run that was broken off.
    policy, compute_loss = prepare(config, accelerator.device)
    optimizer = torch.optim.AdamW(policy.trained_parameters, lr=config.learning_rate, weight_decay=0.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, round(config.warmup * steps), steps)
    asked, is_main = identity(config), accelerator.is_main_process
    run = Run(config.out, asked, policy.trained_parameters, optimizer, schedule, is_main)
    refuse_past(config.out, run.first, steps)
    with stopped_by_sigterm() as stop:
        taken = take_steps(config, accelerator, policy, compute_loss, order, optimizer, schedule, run, stop)
    run.close()
    if run.main and taken < steps:
        print(f"{config.out}: stopped after step {taken} of {steps}; the same command goes on from there")
    elif run.main:
        training = {"stage": "grpo", "steps": steps, **to_table(config)}
        if config.adapter:
            training["adapter"] = read_training(config.adapter)
        save_lora(policy.peft_model, config.out / "adapter", config.base, training)
    accelerator.end_training()


def take_steps(
    config: GrpoConfig,
    accelerator: Accelerator,
    policy: Policy,
    compute_loss: Step,
    order: Sequence[Sequence[dict]],
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    run: Run,
    stop: StopSignal,
) -> int:
    """Trains on the batches of `order` that `run` has not had, until the last or until `stop`.

    Returns the number of steps taken in all; the state after them is saved.
    """
    steps, step_number = len(order), run.first
    bar = tqdm(range(run.first, steps), initial=run.first, total=steps, desc="grpo", disable=not run.main)
    for index in bar:
        started = time.monotonic()
        step_number = index + 1
        is_last = step_number == steps
        # Dropout is seeded anew in each step (and process), so that a resumed run draws what an unbroken one draws.
        torch.manual_seed(draw_seed(config.seed, index, f"dropout/{accelerator.process_index}"))
        # In one piece, so that the micro-batches, whose means are logged, are those of one process.
        share = config.batch // accelerator.num_processes
        own_rows = order[index][accelerator.process_index * share :][:share]
        draws_samples = config.sample_every and (is_last or step_number % config.sample_every == 0)
        pictures: list[Sample] | None = [] if run.main and draws_samples else None

        # Loss and gradients, then the update.
        scalars = accumulate_gradients(config, accelerator, policy, compute_loss, own_rows, index, pictures)
        norm = torch.nn.utils.clip_grad_norm_(policy.trained_parameters, config.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

        # Log, pictures and state. The learning rate is logged before the schedule moves on to the next step's.
        scalars |= {"grad_norm": norm.item(), "lr": schedule.get_last_lr()[0], "seconds": time.monotonic() - started}
        schedule.step()
        run.log(step_number, scalars)
        bar.set_postfix(reward=f"{scalars['reward']:.3f}", kl=f"{scalars['kl']:.4f}")
        if pictures:
            draw_samples(config.out, step_number, pictures)
        stopped = stop.everywhere(accelerator.device)
        if is_last or stopped or step_number % config.save_every == 0:
            run.save(step_number)
        if stopped:
            break
    return step_number


def prepare(config: GrpoConfig, device: torch.device) -> tuple[Policy, Step]:
    """The policy, with reference and reward VLM inside, and the step that computes its loss.

    Raises ValueError for a resolution that the model cannot see and for an adapter of other settings than `config`'s,
    FileNotFoundError where the base or the adapter is missing.
    """
    model, processor = load_checkpoint(config.base)
    tile = model.config.vision_config.image_size
    for name in ("resolution", "reward_resolution"):
        check_resolution(name, getattr(config, name), tile)
    set_training_attention(model, device)
    if config.gradient_checkpointing:
        checkpoint_vision_encoder(model)
    # A new adapter begins with random weights.
    torch.manual_seed(config.seed)
    peft_model = load_lora(model, config.adapter, config.lora) if config.adapter else add_lora(model, config.lora)
    policy = Policy(peft_model.to(device))
    policy.peft_model.train()
    encoder = PromptEncoder(processor)
    reward = REWARDS[config.reward](policy, RewardModel(policy.model, encoder, config.reward_resolution))
    settings = StepSettings(
        config.resolution, config.group, config.temperature, config.max_new_tokens, config.beta, config.recipe
    )
    return policy, Step(policy, encoder, reward, settings)


def accumulate_gradients(
    config: GrpoConfig,
    accelerator: Accelerator,
    policy: Policy,
    compute_loss: Step,
    rows: Sequence[dict],
    index: int,
    pictures: list[Sample] | None = None,
) -> dict[str, float]:
    """Adds up the gradients of the whole batch in `policy.trained_parameters`, over all processes.

    - `compute_loss`: as `prepare` makes it; after a call its `outcome` has the boxes that were drawn;
    - `rows`: this process's share of the batch;
    - `index`: how many steps came before; it seeds the draws;
    - `pictures`: if given, sample pictures of the first questions are appended to it, until it has `MAX_PICTURES`.

    Returns the mean of each scalar for the log.
    """
    collected: dict[str, list[torch.Tensor]] = defaultdict(list)
    for start in range(0, len(rows), config.micro_batch):
        micro_batch = rows[start : start + config.micro_batch]
        examples = [to_example(row, config) for row in micro_batch]
        generators = [torch.Generator().manual_seed(draw_seed(config.seed, index, row["id"])) for row in micro_batch]
        try:
            with accelerator.autocast():
                loss, scalars = compute_loss(examples, generators)
        except Exception as error:
            error.add_note(f"in step {index + 1}, with the rows {', '.join(row['id'] for row in micro_batch)}")
            raise
        # The loss is a mean over the micro-batch. Weighted by its size, the losses of all micro-batches and processes
        # add up to the mean over the batch.
        (loss * len(micro_batch) / config.batch).backward()
        for name, value in {"loss": loss.detach(), **scalars}.items():
            collected[name].append(value.float().to(accelerator.device))
        if pictures is not None and len(pictures) < MAX_PICTURES:
            pictures += to_pictures(micro_batch, examples, compute_loss.outcome)[: MAX_PICTURES - len(pictures)]
    # `reduce` waits for all processes, so each calls it for every parameter, also for one without a gradient here.
    for parameter in policy.trained_parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        parameter.grad = accelerator.reduce(parameter.grad, reduction="sum")
    return _means(accelerator, collected)


def to_example(row: dict, config: GrpoConfig) -> Example:
    """A manifest's row with its image read."""
    image = open_picture(config.data.parent / row["image"])
    return Example(image, row["question"], row["answers"], row.get("source", ""))


def to_pictures(rows: Sequence[dict], examples: Sequence[Example], outcome: StepOutcome) -> list[Sample]:
    """A sample picture for each question: its group's boxes, and a note with their rewards in the same order."""
    rewards = {name: values.tolist() for name, values in outcome.rewards.items()}
    pictures = []
    for index, (row, example, boxes) in enumerate(zip(rows, examples, outcome.boxes, strict=True)):
        lines = [f"{name}: " + ", ".join(f"{v:.2f}" for v in values[index]) for name, values in rewards.items()]
        pictures.append(Sample(example.image, example.question, boxes, row.get("box"), "\n".join(lines)))
    return pictures


def draw_seed(seed: int, index: int, name: str) -> int:
    """A seed of 63 bits for what one step of a run draws.

    `index`: how many steps came before. `name`: what is drawn, a row's id for its boxes or `dropout/PROCESS`.
    """
    return int.from_bytes(sha256(f"{seed}/{index}/{name}".encode()).digest()[:8]) >> 1


def _means(accelerator: Accelerator, collected: dict[str, list[torch.Tensor]]) -> dict[str, float]:
    """The mean of each scalar over micro-batches and processes.

    Every micro-batch counts the same. One may lack a scalar (`area`, where it has no valid box); the mean is over those
    that have it. A process may lack one in all its micro-batches, so the processes first agree on the names; otherwise
    `reduce` would wait for a process that does not call it.
    """
    means = {}
    for name in sorted(set(gather_object(list(collected)))):
        values = collected.get(name, [])
        pair = torch.tensor([float(sum(v.item() for v in values)), float(len(values))], device=accelerator.device)
        total, count = accelerator.reduce(pair, reduction="sum").tolist()
        means[name] = total / count
    return means
