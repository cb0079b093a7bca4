"""`cropvlm-train sft`: a base learns to answer with seed boxes (paper, Section 3), by LoRA and transformers' Trainer.

Trainer has the loop, the optimiser, the schedule, and the state that a killed run goes on from.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from accelerate import PartialState
from transformers import PrinterCallback, Trainer, TrainingArguments

from cropvlm_trainer.idefics3.checkpoint import load_checkpoint
from cropvlm_trainer.idefics3.forward import set_training_attention
from cropvlm_trainer.idefics3.lora import save_lora
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.resolution import check_resolution
from cropvlm_trainer.rows import write_whole
from cropvlm_trainer.sft.data import Lessons, read_lessons
from cropvlm_trainer.sft.learner import Collator, add_learner
from cropvlm_trainer.sft.recorder import Recorder
from cropvlm_trainer.training.config import to_table
from cropvlm_trainer.training.order import shuffled
from cropvlm_trainer.training.run import refuse_other
from cropvlm_trainer.training.stages import SftConfig

STATE = "state"
"""Trainer's checkpoints, within the run folder."""
SHOWN = 4
"""Rows that are drawn as sample pictures."""


def train(config: SftConfig) -> None:
    """Trains, or goes on from the last whole checkpoint in `out`.

    Leaves `config.json`, `log.jsonl`, `events/`, `samples/`, `state/` and, at the end, `adapter/` in `out`.
    """
    main = PartialState().is_main_process
    rows, left_out = read_lessons(config.data)
    if left_out and main:
        print(f"{left_out} rows of {config.data} left out: no area in whole per cents", file=sys.stderr)
    order = shuffled(rows, config.epochs, config.batch, config.seed)
    steps = min(len(order) // config.batch, config.max_steps or len(order))
    if not steps:
        raise ValueError(f"{config.data} has {len(rows)} questions, less than a batch of {config.batch}; lower batch")
    arguments = trainer_arguments(config, steps)
    model, processor = load_checkpoint(config.base)
    tile = model.config.vision_config.image_size
    check_resolution("resolution", config.resolution, tile)
    set_training_attention(model, arguments.device)
    checkpoint = last_checkpoint(config.out / STATE)
    asked = to_table(config)
    if checkpoint:
        refuse_other(config.out, asked, json.loads((config.out / "config.json").read_text(encoding="utf-8")))
    torch.manual_seed(config.seed)
    learner = add_learner(model, config.lora, config.gradient_checkpointing)
    lessons = Lessons(
        order[: steps * config.batch], config.data.parent, PromptEncoder(processor), config.resolution, tile
    )
    trainer = Trainer(learner, arguments, data_collator=Collator(processor), train_dataset=lessons)
    trainer.remove_callback(PrinterCallback)
    if main:
        config.out.mkdir(parents=True, exist_ok=True)
        write_whole(config.out / "config.json", (json.dumps(asked, indent=2) + "\n").encode())
        shown = rows[:: -(-len(rows) // SHOWN)]
        trainer.add_callback(Recorder(config.out, step_of(checkpoint), lessons, shown, config.sample_every))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if main:
        training = {"stage": "sft", "steps": steps, "rows_left_out": left_out, **asked}
        save_lora(learner, config.out / "adapter", config.base, training)
    PartialState().wait_for_everyone()


def trainer_arguments(config: SftConfig, steps: int) -> TrainingArguments:
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
        # Trainer takes bf16 on a CPU only where it is told that the CPU is meant.
        use_cpu=not torch.cuda.is_available(),
        seed=config.seed,
        # The lessons come in the order of their steps.
        train_sampling_strategy="sequential",
        dataloader_num_workers=config.workers,
        remove_unused_columns=False,
        save_steps=config.save_every,
        save_total_limit=2,
        logging_steps=1,
        # A loss that is no number has to stop the run, not to be replaced by a mean.
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
    """The last one that was written whole: Trainer writes `trainer_state.json` after all else."""
    whole = [folder for folder in state.glob("checkpoint-*") if _is_json(folder / "trainer_state.json")]
    return max(whole, key=step_of, default=None)


def step_of(checkpoint: Path | None) -> int:
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return True
