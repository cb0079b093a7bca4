"""The model and the batches as transformers' Trainer takes them: examples in, the loss on their answers out."""

from __future__ import annotations

from collections.abc import Sequence
from types import MethodType

import torch
from peft import PeftModel
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.idefics3.forward import IGNORE, Batch, answer_loss, checkpoint_vision_encoder
from cropvlm_trainer.idefics3.lora import LoraSettings, add_lora
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.sft.data import SftExample


def make_learner(
    model: Idefics3ForConditionalGeneration, settings: LoraSettings, gradient_checkpointing: bool
) -> PeftModel:
    """Adds a new LoRA adapter to the model, and replaces its forward by one that returns the loss. Alters `model`.

    transformers' own forward returns the same loss, but also pads and filters tiles and computes logits for the whole
    prompt. The forward is replaced, rather than `Trainer.compute_loss`, so that DistributedDataParallel wraps it.
    """
    model.forward = MethodType(_forward, model)
    # Trainer then gives the forward `num_items_in_batch`. Without it the mean of each micro-batch would count alike,
    # though their answers differ in length.
    model.accepts_loss_kwargs = True
    if gradient_checkpointing:
        checkpoint_vision_encoder(model)
    return add_lora(model, settings).train()


class Collator:
    """Makes the arguments of the learner's forward from examples."""

    def __init__(self, processor: Idefics3Processor) -> None:
        self.builder = PromptBuilder(processor.tokenizer.backend_tokenizer, processor.image_seq_len)

    def __call__(self, examples: Sequence[SftExample]) -> dict[str, torch.Tensor]:
        input_ids, labels = self.builder.collate([(example.ids, example.start) for example in examples])
        return {"tiles": torch.cat([example.tiles for example in examples]), "input_ids": input_ids, "labels": labels}


def _forward(
    self: Idefics3ForConditionalGeneration,
    tiles: torch.Tensor,
    input_ids: torch.Tensor,
    labels: torch.Tensor,
    num_items_in_batch: torch.Tensor | int | None = None,
) -> dict[str, torch.Tensor]:
    """Returns `loss`, a scalar: the mean over the answers' tokens.

    `tiles` uint8 `[n, S, S, 3]`: of all prompts in order. `input_ids`, `labels` int64 `[B, L]`: as in `Batch`.
    `num_items_in_batch`: the number of answer tokens in all micro-batches of a step. With it the loss is this
    micro-batch's part of the mean over all of them.
    """
    loss, _ = answer_loss(self, Batch(tiles, torch.arange(len(tiles), device=tiles.device), input_ids, labels))
    if num_items_in_batch is not None:
        loss = loss * (labels != IGNORE).sum() / num_items_in_batch
    return {"loss": loss}
