"""`cropvlm-train grpo`: trains a cropper without boxes, by Group Relative Policy Optimization (paper, Section 3).

For each question the policy draws a group of G boxes. A frozen VLM, the reward VLM, answers the question from the full
image and each box's crop. A box is worth as much as it helps to answer, and the policy is moved towards the boxes that
are better than their group's mean and away from the others. Beside this file: `data.py` has the rows, `policy.py` the
models, `reward/` what a box is worth, `loss.py` the mathematics, `step.py` a micro-batch's loss (of `rollout.py`'s
boxes), `accumulate.py` a batch's gradients.

Under `accelerate launch` each process takes its share of every batch. Gradients are summed over the processes, and each
question's boxes are drawn with a generator of its own, so that the result is that of one process.

The loop is written by hand because TRL's GRPOTrainer encodes a question's tiles and prompt anew for each of its G
completions. `step.py` does it once, which takes 2.6 to 9.6 times less processor time (trainer/README.md). TRL is the
oracle: the tests hold loss and gradients equal to its.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path

import torch
from accelerate import Accelerator
from tqdm import tqdm
from transformers import get_cosine_schedule_with_warmup

from cropvlm_trainer.grpo.accumulate import accumulate_gradients, draw_seed, examples_ahead, repeat_gradients
from cropvlm_trainer.grpo.data import read_training_rows
from cropvlm_trainer.grpo.evaluate import REWARD, Evaluation
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.grpo.reward.rewards import make_reward
from cropvlm_trainer.grpo.step import Step, StepOutcome, StepSettings
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint, read_training
from cropvlm_trainer.idefics3.forward import checkpoint_vision_encoder, set_training_attention
from cropvlm_trainer.idefics3.image_processing import check_resolution
from cropvlm_trainer.idefics3.lora import add_lora, load_lora, save_lora
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.training.allocator import keep_freed_memory
from cropvlm_trainer.training.config import to_table
from cropvlm_trainer.training.dev import KeptWeights
from cropvlm_trainer.training.identity import identity, refuse_past
from cropvlm_trainer.training.order import batches
from cropvlm_trainer.training.processes.stop import StopSignal, stopped_by_sigterm
from cropvlm_trainer.training.run import Run
from cropvlm_trainer.training.samples import Sample, draw_samples
from cropvlm_trainer.training.stages import GrpoConfig

MAX_PICTURES = 4
"""How many questions of a step are drawn as sample pictures, in the steps that draw any (`config.sample_every`)."""


def train(config: GrpoConfig) -> None:
    """Trains from the start, or goes on from `state.pt` where `config.out` has one.

    Leaves in `config.out`: `config.json`, `log.jsonl` (a row a step), `events/` (TensorBoard), `samples/` (pictures),
    `state.pt`, with it `last/` (its adapter), `best/` (where `eval_every` is set) and, at the end, `adapter/`.

    Raises ValueError for settings that cannot go together and for a folder that holds a run of other settings,
    FileNotFoundError where the base, the adapter, the manifest or an image is missing. SIGTERM ends the run after the
    step in progress, with its state saved and without an adapter.
    """
    keep_freed_memory()
    # `cpu`: without it accelerate takes several processes without a GPU for one each.
    accelerator = Accelerator(
        mixed_precision="bf16" if config.precision == "bf16" else "no", cpu=not torch.cuda.is_available()
    )

    # Data: the rows of all steps, in order.
    order = batches(read_training_rows(config.data, config.is_measured), config)
    steps = len(order)
    config.check_processes(accelerator.num_processes)

    # Model, optimizer, and the run folder, which restores the state of a run that was broken off.
    policy, compute_loss = prepare(config, accelerator.device, accelerator.process_index)
    optimizer = torch.optim.AdamW(policy.trained_parameters, lr=config.learning_rate, weight_decay=0.0)
    updates = config.mu * steps
    schedule = get_cosine_schedule_with_warmup(optimizer, round(config.warmup * updates), updates)
    asked, is_main = identity(config), accelerator.is_main_process
    run = Run(config.out, asked, policy.trained_parameters, optimizer, schedule, is_main)
    refuse_past(config.out, run.first, steps)

    def save_adapter(folder: Path, more: dict) -> None:
        training = {"stage": "grpo", **to_table(config), **more}
        if config.adapter:
            training["adapter"] = read_training(config.adapter)
        save_lora(policy.peft_model, folder, config.base, training)

    adapters = KeptWeights(config.out, run.first, save_adapter) if is_main else None
    evaluate = Evaluation(config, accelerator, compute_loss) if config.eval_every else None
    # In one piece, so that the micro-batches, whose means are logged, are those of one process.
    share = config.batch // accelerator.num_processes
    own = [rows[accelerator.process_index * share :][:share] for rows in order]
    to_come = list(chain.from_iterable(own[run.first :]))
    # While a step trains, the questions of the next one are prepared.
    examples = examples_ahead(config, compute_loss.tile, to_come, most=share)
    with closing(compute_loss), closing(examples), stopped_by_sigterm() as stop:
        taken = take_steps(
            config, accelerator, policy, compute_loss, own, examples, optimizer, schedule, run, stop, adapters, evaluate
        )
    run.close()
    if run.main and taken < steps:
        print(f"{config.out}: stopped after step {taken} of {steps}; the same command goes on from there")
    elif run.main:
        save_adapter(config.out / "adapter", {"steps": steps})
    accelerator.end_training()


def take_steps(
    config: GrpoConfig,
    accelerator: Accelerator,
    policy: Policy,
    compute_loss: Step,
    own: Sequence[Sequence[dict]],
    examples: Iterator[Example],
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    run: Run,
    stop: StopSignal,
    adapters: KeptWeights | None,
    evaluate: Evaluation | None,
) -> int:
    """Trains on the batches that `run` has not had, until the last or until `stop`.

    `own`: the rows of all steps, of each batch this process's share; `examples`: of the steps that are to be taken;
    `adapters`: where the last and the best adapter go, in the process that writes; `evaluate`: every
    `config.eval_every` steps.

    Returns the number of steps taken in all; the state after them is saved.
    """
    steps, step_number = len(own), run.first
    bar = tqdm(range(run.first, steps), initial=run.first, total=steps, desc="grpo", disable=not run.main)
    for index in bar:
        started = time.monotonic()
        step_number = index + 1
        is_last = step_number == steps
        # Dropout is seeded anew in each step (and process), so that a resumed run draws what an unbroken one draws.
        torch.manual_seed(draw_seed(config.seed, index, f"dropout/{accelerator.process_index}"))
        draws_samples = config.sample_every and (is_last or step_number % config.sample_every == 0)
        pictures: list[Sample] | None = [] if run.main and draws_samples else None

        # Loss and gradients, then the update, `mu` times with what was drawn once. What is logged is of the first, and
        # of the last what clipping did.
        learning_rate = schedule.get_last_lr()[0]
        watch = partial(add_pictures, pictures) if pictures is not None else None
        scalars = accumulate_gradients(config, accelerator, policy, compute_loss, own[index], examples, index, watch)
        scalars |= {"grad_norm": update(config, policy, optimizer, schedule), "lr": learning_rate}
        for _ in range(1, config.mu):
            scalars |= repeat_gradients(config, accelerator, policy, compute_loss)
            update(config, policy, optimizer, schedule)

        # Score, log, pictures and state.
        scalars["seconds"] = time.monotonic() - started
        if evaluate and (is_last or step_number % config.eval_every == 0):
            scores = evaluate()
            scalars |= {f"eval/{name}": value for name, value in scores.items()}
            if adapters:
                adapters.keep_if_best(step_number, scores[REWARD], scores)
        run.log(step_number, scalars)
        shown = {"reward": ".3f", "kl": ".4f"}
        bar.set_postfix({name: f"{scalars[name]:{form}}" for name, form in shown.items() if name in scalars})
        if pictures:
            draw_samples(config.out, step_number, pictures)
        stopped = stop.everywhere(accelerator.device)
        if is_last or stopped or step_number % config.save_every == 0:
            run.save(step_number)
            if adapters:
                adapters.keep_last(step_number)
        if stopped:
            break
    return step_number


def update(config: GrpoConfig, policy: Policy, optimizer, schedule) -> float:
    """Updates the policy by its gradients, and removes them; returns their norm before it was clipped."""
    norm = torch.nn.utils.clip_grad_norm_(policy.trained_parameters, config.max_grad_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    schedule.step()
    return norm.item()


def prepare(config: GrpoConfig, device: torch.device, process: int = 0) -> tuple[Policy, Step]:
    """The policy, with reference and reward VLM inside, and the step that computes its loss.

    Raises ValueError for a resolution that the model cannot see and for an adapter of other settings than `config`'s,
    FileNotFoundError where the base or the adapter is missing.
    """
    model, processor = load_checkpoint(config.base)
    tile = model.config.vision_config.image_size
    check_resolution("resolution", config.resolution, tile)
    if isinstance(config.reward, str) and config.reward_base is None:
        check_resolution("reward_resolution", config.reward_resolution, tile)
    set_training_attention(model, device)
    if config.gradient_checkpointing:
        checkpoint_vision_encoder(model)
    # A new adapter begins with random weights.
    torch.manual_seed(config.seed)
    peft_model = load_lora(model, config.adapter, config.lora) if config.adapter else add_lora(model, config.lora)
    policy = Policy(peft_model.to(device), has_reference=config.beta > 0)
    policy.peft_model.train()
    encoder = PromptEncoder(processor)
    shared = (field.name for field in dataclasses.fields(StepSettings) if field.name != "longest_edge")
    settings = StepSettings(config.resolution, **{name: getattr(config, name) for name in shared})
    return policy, Step(policy, encoder, make_reward(config, policy, encoder, process), settings)


def add_pictures(
    pictures: list[Sample], rows: Sequence[dict], examples: Sequence[Example], outcome: StepOutcome
) -> None:
    """Adds sample pictures of these rows to `pictures`, until it has `MAX_PICTURES`."""
    if len(pictures) < MAX_PICTURES:
        pictures += to_pictures(rows, examples, outcome)[: MAX_PICTURES - len(pictures)]


def to_pictures(rows: Sequence[dict], examples: Sequence[Example], outcome: StepOutcome) -> list[Sample]:
    """A sample picture for each question: its group's boxes, and a note with their rewards in the same order."""
    rewards = {name: values.tolist() for name, values in outcome.rewards.items()}
    pictures = []
    for index, (row, example, boxes) in enumerate(zip(rows, examples, outcome.boxes, strict=True)):
        lines = [f"{name}: " + ", ".join(f"{v:.2f}" for v in values[index]) for name, values in rewards.items()]
        pictures.append(Sample(example.image, example.question, boxes, row.get("box"), "\n".join(lines)))
    return pictures
