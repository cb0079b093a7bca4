"""The loss on boxes, and the auxiliary loss by which each image token says which words and patterns lie in its cell.

In the shapes: B pictures, T image tokens a tile, L tokens of the longest sequence, D the text model's width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.full_sft.data import PageBatch
from cropvlm_trainer.full_sft.sequence import attention_mask
from cropvlm_trainer.idefics3.forward import encode_tiles, token_loss
from cropvlm_trainer.idefics3.prompts import PromptBuilder

FORCED = 0.1
"""The weight of a box's punctuation beside that of its digits: which it is follows from what stands before."""
POSITIVE_WEIGHT = 8.0
"""The weight of a class that stands in a cell: few stand in most cells."""


class SeeingHead(nn.Module):
    """The parameters of the auxiliary loss; they are trained beside the model and are in no checkpoint."""

    def __init__(self, width: int, classes: int) -> None:
        """`width` is that of the text model. With 0 `classes` there is no auxiliary loss."""
        super().__init__()
        self.width, self.classes = width, classes
        self.words = nn.Linear(width, classes) if classes else None
        if self.words is not None:
            nn.init.constant_(self.words.bias, -3.0)

    def forward(self, features: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
        """The binary cross-entropy of all classes in all cells, a scalar: summed over classes, averaged over cells.

        `features` `[B, T, D]`, `cells` f32 `[B, T, classes]`.
        """
        if self.words is None:
            return features.new_zeros(())
        logits = self.words(F.rms_norm(features.float(), (self.width,))).float()
        weight = torch.tensor(POSITIVE_WEIGHT, device=logits.device)
        return F.binary_cross_entropy_with_logits(logits, cells, pos_weight=weight) * self.classes


class BoxLoss:
    """The loss of a batch of packed questions."""

    def __init__(
        self, model: Idefics3ForConditionalGeneration, head: SeeingHead, builder: PromptBuilder, seeing: float
    ):
        """`seeing`: the weight of the auxiliary loss."""
        self.model, self.head, self.seeing = model, head, seeing
        self.digits = torch.tensor([builder.word(digit) for digit in "0123456789"])

    def __call__(self, step: int, batch: PageBatch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Returns the loss, and for the log the parts of it and the share of digits that are right."""
        packed, text = batch.packed, self.model.model.text_model
        features = encode_tiles(self.model, batch.tiles)
        embeds = text.embed_tokens(packed.input_ids)
        is_image = (packed.input_ids == self.model.config.image_token_id)[..., None]
        embeds = embeds.masked_scatter(is_image, features.reshape(-1, features.shape[-1]).to(embeds.dtype))
        hidden = text(
            inputs_embeds=embeds,
            attention_mask=attention_mask(packed.segments, embeds.dtype),
            position_ids=packed.position_ids,
            use_cache=False,
        ).last_hidden_state
        digits = torch.isin(packed.labels, self.digits.to(packed.labels.device))
        weights = torch.full_like(packed.labels, FORCED, dtype=torch.float).masked_fill(digits, 1.0)
        boxes, right = token_loss(self.model, hidden, packed.labels, weights)
        seen = self.head(features, batch.cells)
        return boxes + self.seeing * seen, {"boxes": boxes, "seeing": seen, "digits": right[digits].float().mean()}
