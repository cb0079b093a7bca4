"""Auxiliary losses by which a small model learns to point: to answer with the box of what a question names.

Trained on boxes alone, a small model finds where things are, and then for very long answers with any one of them. To
choose, it would have to carry the question's words to the answer and compare them with the image, and neither helps
without the other. Two auxiliary losses teach one of these each; their parameters are dropped after the training:

- `seeing`: each image token must resemble the embeddings of the words that describe what stands in its cell;
- `naming`: half-way through the text model, where x1 and y1 are about to be written, a linear layer must be able to
  tell which words the question named.

In the shapes: n tiles, T image tokens a tile, B questions, L tokens of the longest sequence, D the text model's width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.idefics3.forward import IGNORE, Batch, encode_tiles, hidden_states, token_loss
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.pretrain.batches import APPEARANCE_WORDS

POSITIVE_WEIGHT = 3.0
"""Weight, in `seeing`, of a word that describes a cell: most words do not describe most cells."""
SEEING, NAMING = 0.5, 0.3
"""Weights of the two auxiliary losses beside the loss on the boxes."""
CORNER, DIGIT, FORCED = 6.0, 1.0, 0.1
"""Weights of a box's tokens: the first digits of x1 and of y1, the other digits, and the punctuation between.

The top-left corner says which of the things is meant; the other corner then follows from the picture alone."""

Scalars = dict[str, torch.Tensor]
"""For the log, by name."""


class AuxHeads(nn.Module):
    """The parameters of the auxiliary losses, and the losses."""

    def __init__(self, model: Idefics3ForConditionalGeneration, builder: PromptBuilder) -> None:
        super().__init__()
        text = model.config.text_config
        self.width = text.hidden_size
        words = torch.tensor([builder.word(word) for word in APPEARANCE_WORDS])
        self.register_buffer("words", words, persistent=False)
        self.scale = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.full((1,), -3.0))
        digits = torch.tensor([builder.word(digit) for digit in "0123456789"])
        self.register_buffer("digits", digits, persistent=False)
        self.names = nn.Linear(self.width, 2 * text.vocab_size)

    def seeing(self, model: Idefics3ForConditionalGeneration, features: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The binary cross-entropy of every word in every cell, a scalar; `features` `[n, T, D]`.

        It is summed over the words and averaged over the cells.
        """
        likeness = self._likeness(model, features)
        positive = torch.tensor(POSITIVE_WEIGHT, device=likeness.device)
        loss = F.binary_cross_entropy_with_logits(likeness, batch.cell_words, pos_weight=positive)
        return loss * len(APPEARANCE_WORDS)

    def tags(self, model: Idefics3ForConditionalGeneration, features: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The binary cross-entropy of every word that describes what a tile shows, a scalar; `features` `[n, T, D]`.

        It is summed over the words and averaged over the tiles. A tile shows what any of its image tokens resembles:
        where things are is not told.
        """
        likeness = self._likeness(model, features).logsumexp(dim=1)
        return F.binary_cross_entropy_with_logits(likeness, batch.page_words) * len(APPEARANCE_WORDS)

    def _likeness(self, model: Idefics3ForConditionalGeneration, features: torch.Tensor) -> torch.Tensor:
        """How much each image token resembles each of the words, as logits `[n, T, words]`."""
        embeddings = model.model.text_model.embed_tokens.weight[self.words].detach()
        similarity = F.rms_norm(features.float(), (self.width,)) @ embeddings.T / self.width**0.5
        return self.scale * similarity + self.bias

    def corners(self, labels: torch.Tensor, numbers: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
        """Which labels `[B, L]` are digits, and which are the first digit of one of a box's first `numbers` numbers.

        Both bool `[B, L]`.
        """
        digits = torch.isin(labels, self.digits)
        starts = digits & ~digits.roll(1, dims=1)
        return digits, starts & (starts.cumsum(dim=1) <= numbers)

    def naming(self, middle: torch.Tensor, corners: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The cross-entropy of both named words at the `corners`, a scalar.

        `middle` `[B, L, D]`: the hidden states after half of the layers.
        """
        logits = self.names(F.rms_norm(middle[corners].float(), (self.width,))).unflatten(-1, (2, -1))
        words = batch.named_words[corners.nonzero()[:, 0]]
        return F.cross_entropy(logits.flatten(0, 1).float(), words.flatten())


def seeing_loss(
    model: Idefics3ForConditionalGeneration, aux_heads: AuxHeads, batch: Batch
) -> tuple[torch.Tensor, Scalars]:
    """The loss that trains the vision encoder alone."""
    loss = aux_heads.seeing(model, encode_tiles(model, batch.tiles), batch)
    return loss, {"seeing": loss}


def pointing_loss(
    model: Idefics3ForConditionalGeneration, aux_heads: AuxHeads, batch: Batch, numbers: int = 2
) -> tuple[torch.Tensor, Scalars]:
    """The loss on the boxes, plus both auxiliary losses.

    `numbers`: how many of a box's numbers count as its corner: 1 for x1 alone, 2 for x1 and y1.
    """
    features = encode_tiles(model, batch.tiles)
    middle: list[torch.Tensor] = []
    hidden = hidden_states(model, features, batch.image_index, batch.input_ids, middle)
    digits, corners = aux_heads.corners(batch.labels, numbers)
    weights = torch.full_like(batch.labels, FORCED, dtype=torch.float).masked_fill(digits, DIGIT)
    boxes, right = token_loss(model, hidden, batch.labels, weights.masked_fill(corners, CORNER))
    seeing, naming = aux_heads.seeing(model, features, batch), aux_heads.naming(middle[0], corners, batch)
    scalars = {"pointing": boxes, "seeing": seeing, "naming": naming, "pointed": pointed(right, corners)}
    return boxes + SEEING * seeing + NAMING * naming, scalars


def looking_loss(
    model: Idefics3ForConditionalGeneration, aux_heads: AuxHeads, batch: Batch
) -> tuple[torch.Tensor, Scalars]:
    """The loss on answers about how things look, plus two auxiliary losses: `tags`, and `naming` as answers begin."""
    features = encode_tiles(model, batch.tiles)
    middle: list[torch.Tensor] = []
    hidden = hidden_states(model, features, batch.image_index, batch.input_ids, middle)
    answers, right = token_loss(model, hidden, batch.labels)
    is_answer = batch.labels != IGNORE
    begins = is_answer & (is_answer.cumsum(dim=1) == 1)
    tags, naming = aux_heads.tags(model, features, batch), aux_heads.naming(middle[0], begins, batch)
    scalars = {"looking": answers, "tags": tags, "naming": naming, "looked": right.all(dim=1).float().mean()}
    return answers + SEEING * tags + NAMING * naming, scalars


def pointed(right: torch.Tensor, corners: torch.Tensor) -> torch.Tensor:
    """The share of boxes that are right at all their `corners`; both bool `[B, L]`."""
    return (right | ~corners).all(dim=1).float().mean()
