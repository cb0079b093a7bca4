"""The cropper as transformers' Trainer sees it: a batch of lessons in, the loss on their answers out."""

from __future__ import annotations

from collections.abc import Sequence
from types import MethodType

import torch
from peft import PeftModel
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.idefics3.forward import IGNORE, Batch, PromptBuilder, answer_loss
from cropvlm_trainer.idefics3.lora import LoraSettings, add_lora
from cropvlm_trainer.sft.data import Lesson


def add_learner(
    model: Idefics3ForConditionalGeneration, settings: LoraSettings, gradient_checkpointing: bool
) -> PeftModel:
    """The model with a fresh adapter, whose forward is the loss. Alters `model` in place.

    transformers' own forward gives the same loss, but pads and filters tiles, and computes logits of whole prompts.
    Set on the model, not called from Trainer.compute_loss, so that DistributedDataParallel sees the forward pass.
    """
    model.forward = MethodType(_forward, model)
    # Else Trainer divides each micro-batch's mean by their number, though their answers differ in length.
    model.accepts_loss_kwargs = True
    if gradient_checkpointing:
        model.model.vision_model.gradient_checkpointing_enable({"use_reentrant": False})
    return add_lora(model, settings).train()


class Collator:
    """Lessons -> the arguments of the learner's forward."""

    def __init__(self, processor: Idefics3Processor) -> None:
        self.builder = PromptBuilder(processor.tokenizer.backend_tokenizer, processor.image_seq_len)

    def __call__(self, lessons: Sequence[Lesson]) -> dict[str, torch.Tensor]:
        input_ids, labels = self.builder.collate([(lesson.ids, lesson.start) for lesson in lessons])
        return {"tiles": torch.cat([lesson.tiles for lesson in lessons]), "input_ids": input_ids, "labels": labels}


def _forward(
    self: Idefics3ForConditionalGeneration,
    tiles: torch.Tensor,
    input_ids: torch.Tensor,
    labels: torch.Tensor,
    num_items_in_batch: torch.Tensor | int | None = None,
) -> dict[str, torch.Tensor]:
    """`tiles` uint8 `[n, S, S, 3]` of all prompts in order; `labels` are the ids to predict *at* each position.

    `num_items_in_batch`: the answers' tokens in all micro-batches of a step, so that their losses add up to its mean.
    """
    loss, _ = answer_loss(self, Batch(tiles, torch.arange(len(tiles), device=tiles.device), input_ids, labels))
    if num_items_in_batch is not None:
        loss = loss * (labels != IGNORE).sum() / num_items_in_batch
    return {"loss": loss}
