"""`cropvlm-train sft`: teaches a base to answer with a box, from seed boxes (paper, Section 3), by LoRA.

transformers' Trainer has the loop, the optimizer (AdamW), the schedule, and the state from which a run that was broken
off goes on. Beside this file: `data.py` has the rows and examples, `learner.py` the model and its loss, `recorder.py`
the log and the pictures.
"""

from __future__ import annotations

import math
import sys
from itertools import chain
from pathlib import Path

import torch
from accelerate import PartialState
from transformers import PrinterCallback, Trainer, TrainingArguments

from cropvlm_trainer.files import read_json, write_json
from cropvlm_trainer.idefics3.checkpoint import ADAPTER_WEIGHTS, load_checkpoint
from cropvlm_trainer.idefics3.forward import set_training_attention
from cropvlm_trainer.idefics3.image_processing import check_resolution
from cropvlm_trainer.idefics3.lora import save_lora
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.weights import check_weights
from cropvlm_trainer.sft.data import SftDataset, read_training_rows
from cropvlm_trainer.sft.learner import Collator, make_learner
from cropvlm_trainer.sft.recorder import Recorder, Steering
from cropvlm_trainer.training.allocator import keep_freed_memory
from cropvlm_trainer.training.config import to_table
from cropvlm_trainer.training.dev import KeptWeights
from cropvlm_trainer.training.identity import SHA256, identity, refuse_other, refuse_past, remembering
from cropvlm_trainer.training.order import batches
from cropvlm_trainer.training.processes.ranks import check_same
from cropvlm_trainer.training.processes.stop import StopSignal, stopped_by_sigterm
from cropvlm_trainer.training.run import refusing_pickles
from cropvlm_trainer.training.stages import SftConfig

STATE = "state"
"""The folder of Trainer's checkpoints, within the run folder."""
MAX_PICTURES = 4
"""Rows that are drawn as sample pictures."""


def train(config: SftConfig) -> None:
    """Trains from the start, or goes on from the last complete checkpoint in `config.out`.

    Leaves in `config.out`: `config.json`, `log.jsonl` (a row a step), `events/` (TensorBoard), `samples/` (pictures),
    `state/`, `last/` (its adapter), `best/` (where `eval_every` is set) and, at the end, `adapter/`.

    Raises ValueError for settings that cannot go together and for a folder that holds a run of other settings,
    FileNotFoundError where the base, the manifest or an image is missing. SIGTERM ends the run after the step in
    progress, with its state saved and without an adapter.
    """
    keep_freed_memory()
    # `cpu`: without it accelerate takes several processes without a GPU for one each.
    is_main = PartialState(cpu=not torch.cuda.is_available()).is_main_process

    # Data: the rows of all steps, in order.
    rows, left_out = read_training_rows(config.data)
    if left_out and is_main:
        print(f"{left_out} rows of {config.data} left out: no area in whole per cents", file=sys.stderr)
    order = batches(rows, config)
    arguments = trainer_arguments(config, len(order))

    # Model, and the checkpoint of a run that was broken off.
    model, processor = load_checkpoint(config.base)
    tile = model.config.vision_config.image_size
    check_resolution("resolution", config.resolution, tile)
    set_training_attention(model, arguments.device)
    checkpoint = last_checkpoint(config.out / STATE)
    settings, asked = to_table(config), identity(config)
    there = {"step to go on from": str(step_of(checkpoint)), **asked[SHA256]}
    check_same(there, f"all processes read files of the same content and one {config.out}: share it between machines")
    if checkpoint:
        before = read_json(config.out / "config.json")
        refuse_other(config.out, asked, before)
        asked = remembering(asked, before)
        refuse_past(config.out, step_of(checkpoint), len(order))
        check_weights(checkpoint, ADAPTER_WEIGHTS)
    torch.manual_seed(config.seed)
    learner = make_learner(model, config.lora, config.gradient_checkpointing)
    in_order = list(chain.from_iterable(order))
    dataset = SftDataset(in_order, config.data.parent, PromptEncoder(processor), config.resolution, tile)

    dev = None
    if config.eval_every:
        dev_rows, _ = read_training_rows(config.eval_data)
        dev = SftDataset(dev_rows, config.eval_data.parent, dataset.encoder, config.resolution, tile)

    def save_adapter(folder: Path, more: dict) -> None:
        training = {"stage": "sft", "rows_left_out": left_out, **settings, **more}
        save_lora(learner, folder, config.base, training)

    # Loop, log, pictures and state.
    trainer = Trainer(learner, arguments, data_collator=Collator(processor), train_dataset=dataset)
    trainer.remove_callback(PrinterCallback)
    stop = StopSignal()
    steering = Steering(stop, dev, config.eval_every)
    trainer.add_callback(steering)
    if is_main:
        config.out.mkdir(parents=True, exist_ok=True)
        write_json(config.out / "config.json", asked)
        # At most MAX_PICTURES rows, spread evenly over the manifest.
        shown_rows = rows[:: math.ceil(len(rows) / MAX_PICTURES)]
        first, adapters = step_of(checkpoint), KeptWeights(config.out, step_of(checkpoint), save_adapter)
        trainer.add_callback(Recorder(config.out, first, dataset, shown_rows, config.sample_every, steering, adapters))
    with stopped_by_sigterm(stop), refusing_pickles(checkpoint or config.out):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    taken = trainer.state.global_step
    if is_main and taken < len(order):
        print(f"{config.out}: stopped after step {taken} of {len(order)}; the same command goes on from there")
    elif is_main:
        save_adapter(config.out / "adapter", {"steps": len(order)})
    PartialState().wait_for_everyone()


def trainer_arguments(config: SftConfig, steps: int) -> TrainingArguments:
    """Trainer's arguments for so many steps. Raises ValueError where the processes cannot share a batch evenly, and for
    several GPUs in one process, which Trainer would use by DataParallel."""
    processes = PartialState().num_processes
    config.check_processes(processes)
    arguments = TrainingArguments(
        output_dir=str(config.out / STATE),
        max_steps=steps,
        per_device_train_batch_size=config.micro_batch,
        gradient_accumulation_steps=config.batch // (processes * config.micro_batch),
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=round(config.warmup * steps),
        max_grad_norm=config.max_grad_norm,
        weight_decay=0.0,
        bf16=config.precision == "bf16",
        # Without it Trainer refuses bf16 on a machine without a GPU.
        use_cpu=not torch.cuda.is_available(),
        seed=config.seed,
        # `SftDataset` has its rows in the order of the steps.
        train_sampling_strategy="sequential",
        dataloader_num_workers=config.workers,
        remove_unused_columns=False,
        save_steps=config.save_every,
        save_total_limit=2,
        logging_steps=1,
        # A loss that is not finite must reach the recorder, which stops the run, and not be replaced by a mean.
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:
        raise ValueError(
            f"{arguments.n_gpu} GPUs are visible to one process; start with `accelerate launch`, or name one in "
            "CUDA_VISIBLE_DEVICES"
        )
    return arguments


def last_checkpoint(state: Path) -> Path | None:
    """The last complete checkpoint: one with a readable `trainer_state.json`, which Trainer writes last."""
    complete = [folder for folder in state.glob("checkpoint-*") if _is_json(folder / "trainer_state.json")]
    return max(complete, key=step_of, default=None)


def step_of(checkpoint: Path | None) -> int:
    """The number of steps taken at a checkpoint; 0 for None."""
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def _is_json(path: Path) -> bool:
    try:
        read_json(path)
    except (FileNotFoundError, ValueError):
        return False
    return True
