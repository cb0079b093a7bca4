"""Learning to point: which of the things on a page a question names, and where that is.

Taught by boxes alone, a small model finds where things are and then stays for very long on the plateau of picking
any of them: it would have to carry the question's words to the answer and to compare them with the image at once,
and neither is of use without the other. Two helpers teach one each, and are dropped with the training:

- `seeing`: an image token resembles the embeddings of the words that say what stands in its cell;
- `naming`: half-way through the text model, where x1 and y1 are to be told, one can tell what the question named.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.idefics3.forward import Batch, PromptBuilder, encode_tiles, hidden_states, token_loss
from cropvlm_trainer.pretrain.batches import LOOKS

RARITY = 3.0
"""Weight of a word that is there: most words are not, in most cells."""
SEEING, NAMING = 0.5, 0.3
"""Weights of the two helpers beside the loss on the boxes."""
CORNER, DIGIT, FORCED = 6.0, 1.0, 0.1
"""Weights of the first digits of x1 and of y1, of other digits, and of the punctuation between. Which of the objects is
meant shows in the top-left corner; the other corner then follows from the picture without the question."""


class Helpers(nn.Module):
    def __init__(self, model: Idefics3ForConditionalGeneration, builder: PromptBuilder) -> None:
        super().__init__()
        text = model.config.text_config
        self.width = text.hidden_size
        self.register_buffer("words", torch.tensor([builder.word(word) for word in LOOKS]), persistent=False)
        self.scale = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.full((1,), -3.0))
        digits = [builder.word(digit) for digit in "0123456789"]
        self.register_buffer("digits", torch.tensor(digits), persistent=False)
        self.names = nn.Linear(self.width, 2 * text.vocab_size)

    def seeing(self, model: Idefics3ForConditionalGeneration, features: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Binary cross-entropy of every word in every cell, from features `[n, tokens a tile, D]`."""
        embeddings = model.model.text_model.embed_tokens.weight[self.words].detach()
        alike = F.rms_norm(features.float(), (self.width,)) @ embeddings.T / self.width**0.5
        losses = F.binary_cross_entropy_with_logits(
            self.scale * alike + self.bias, batch.looks, pos_weight=torch.tensor(RARITY, device=alike.device)
        )
        return losses * len(LOOKS)

    def corners(self, labels: torch.Tensor, numbers: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
        """Where `[B, L]` boxes have digits, and where the first digits of their first `numbers` numbers."""
        digits = torch.isin(labels, self.digits)
        starts = digits & ~digits.roll(1, dims=1)
        return digits, starts & (starts.cumsum(dim=1) <= numbers)

    def naming(self, middle: torch.Tensor, corners: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Cross-entropy of the two names, from the hidden states `[B, L, D]` half-way."""
        logits = self.names(F.rms_norm(middle[corners].float(), (self.width,))).unflatten(-1, (2, -1))
        names = batch.names[corners.nonzero()[:, 0]]
        return F.cross_entropy(logits.flatten(0, 1).float(), names.flatten())


def seeing_loss(model, helpers: Helpers, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The vision encoder alone."""
    loss = helpers.seeing(model, encode_tiles(model, batch.tiles), batch)
    return loss, {"seeing": loss}


def pointing_loss(
    model, helpers: Helpers, batch: Batch, numbers: int = 2
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The loss on the boxes and both helpers'; x1 and y1 are weighted and named, or x1 alone if `numbers` is 1."""
    features = encode_tiles(model, batch.tiles)
    middle: list[torch.Tensor] = []
    hidden = hidden_states(model, features, batch.image_index, batch.input_ids, middle)
    digits, corners = helpers.corners(batch.labels, numbers)
    weights = torch.full_like(batch.labels, FORCED, dtype=torch.float).masked_fill(digits, DIGIT)
    boxes, right = token_loss(model, hidden, batch.labels, weights.masked_fill(corners, CORNER))
    seeing, naming = helpers.seeing(model, features, batch), helpers.naming(middle[0], corners, batch)
    parts = {"pointing": boxes, "seeing": seeing, "naming": naming, "pointed": pointed(right, corners)}
    return boxes + SEEING * seeing + NAMING * naming, parts


def pointed(right: torch.Tensor, corners: torch.Tensor) -> torch.Tensor:
    """The share of boxes that are right at all `corners`: in the first digits of x1 and y1; both `[B, L]`."""
    return (right | ~corners).all(dim=1).float().mean()
