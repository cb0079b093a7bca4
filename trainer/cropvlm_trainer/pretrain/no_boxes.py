"""The lessons of a base that is taught no box: it reads, and it says how things look.

No answer that it learns has a coordinate in it, and no loss says where something stands. Crops that it reads are chosen
around texts or anywhere, as pictures that it is given. Batches to look take turns with batches to read, and both start
easy and get harder, as in `train`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.data.synth import dataset, shapes
from cropvlm_trainer.idefics3.forward import Batch, answer_loss
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.pretrain.aux_losses import AuxHeads, looking_loss
from cropvlm_trainer.pretrain.batches import reading_batch
from cropvlm_trainer.pretrain.looking import looking_batch
from cropvlm_trainer.pretrain.regions import crop_width

LOOKING_UNTIL, LOOK_EVERY = 0.1, 3
"""The share of the run in which it looks alone; after that, it looks every so many steps."""
ASTRAY_FROM, ASTRAY = 0.5, 0.15
"""The share of the run from which crops may miss the answer, and how many do."""
LOOKS_CURRICULUM = ((0.04, 1), (0.1, 2), (0.3, 4), (1.0, shapes.MAX_SHAPES))
"""Pairs of a share of the run and the most shapes that a page to look at has until then."""
HELD_OUT = (2, 16)
"""Batches, and the pages of each, on which each lesson is measured."""
READ_WIDTHS = (0.0, 0.5, 1.0, 2.0)


def looks_at(step: int, steps: int) -> bool:
    """Whether step number `step` (from 0) of a run of `steps` is one to look; the others are to read."""
    return step < LOOKING_UNTIL * steps or step % LOOK_EVERY == 0


def shapes_to_look_at(step: int, steps: int) -> int:
    """How many shapes a page has at most in a step to look."""
    return next(count for until, count in LOOKS_CURRICULUM if step < until * steps)


class NoBoxes:
    """The batches, the loss and the held-out scores of a run."""

    def __init__(
        self,
        model: Idefics3ForConditionalGeneration,
        aux_heads: AuxHeads,
        builder: PromptBuilder,
        tile: int,
        seed: int,
        steps: int,
        pages: int,
    ) -> None:
        """`pages`: of a batch to read; twice as many are of one to look."""
        self.model, self.aux_heads, self.seed, self.steps, self.pages = model, aux_heads, seed, steps, pages
        self.read, self.look = partial(reading_batch, builder, tile), partial(looking_batch, builder, tile)

    def make(self, step: int) -> Batch:
        if looks_at(step, self.steps):
            most = shapes_to_look_at(step, self.steps)
            return self.look(self.seed, step, 2 * self.pages, most_shapes=most)
        astray = ASTRAY if step >= ASTRAY_FROM * self.steps else 0.0
        return self.read(self.seed, step, self.pages, width=crop_width(step, self.steps), astray=astray)

    def loss(self, step: int, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        if looks_at(step, self.steps):
            return looking_loss(self.model, self.aux_heads, batch)
        loss, right = answer_loss(self.model, batch)
        return loss, {"reading": loss, "read": right.all(dim=1).float().mean()}

    @torch.no_grad()
    def evaluate(self, _step: int) -> dict[str, float]:
        """The shares of right answers, by width of the crops, and about the looks of full pages of shapes.

        Measured on pages that no run trains on.
        """
        lessons = {f"read_width_{width}": partial(self.read, width=width) for width in READ_WIDTHS}
        return {name: self._right(batch_of) for name, batch_of in (*lessons.items(), ("looked_at_all", self.look))}

    def _right(self, batch_of: Callable[..., Batch]) -> float:
        device = next(self.model.parameters()).device
        rights = [answer_loss(self.model, batch.to(device))[1].all(dim=1) for batch in _held_out(batch_of)]
        return torch.cat(rights).float().mean().item()


def _held_out(batch_of: Callable[..., Batch]) -> Iterator[Batch]:
    count, pages = HELD_OUT
    return (batch_of(dataset.HELD_OUT_SEED, index, pages) for index in range(count))
