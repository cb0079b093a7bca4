"""How often fp16, int8 and q4 say on pages what fp32 says: a cropper's boxes, a target's answers.

The pages are synthetic and no run trains on them. The service takes int8 on a CPU by itself only where these agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from transformers import Idefics3Processor

from cropvlm_trainer.boxes import Box, taught_region, to_box
from cropvlm_trainer.contract import cropper_prompt, target_prompt
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.data.synth.page import Page
from cropvlm_trainer.evaluation.croppings import cut
from cropvlm_trainer.export.check.agreement import FLOOR, refuse_below
from cropvlm_trainer.export.check.expected import NEW_TOKENS, make_prompt
from cropvlm_trainer.export.check.greedy_boxes import box_tokens, greedy_box
from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.metrics.exact_and_iou import iou

PAGES = 200
"""Enough for a standard error of about 0.005 where one box in ten differs."""

Answer = tuple[int, ...]


@dataclass(frozen=True)
class BoxParity:
    """Boxes under the service's grammar against fp32's."""

    boxes: int
    boxes_equal: float
    box_iou: float
    """Mean over all boxes, the equal ones included."""


@dataclass(frozen=True)
class AnswerParity:
    """A target's whole answers, token by token, against fp32's: full image and the true box's crop."""

    answers: int
    answers_equal: float


def on_pages(
    role: str, onnx_model: OnnxModel, processor: Idefics3Processor, resolutions: Sequence[int], pages: int
) -> list[Box] | list[Answer]:
    """A cropper's boxes or a target's answers, the pages seen at the resolutions (longest edges) in turn."""
    if role == "cropper":
        return list(_boxes(onnx_model, processor, resolutions, pages))
    return list(_answers(onnx_model, processor, resolutions, pages))


def check_pages(
    role: str, true: Sequence, found: Sequence, onnx_model: OnnxModel, floor: float = FLOOR
) -> dict[str, float]:
    """The BoxParity or AnswerParity of `found` with fp32's `true`.

    Raises ParityError where boxes' mean IoU is below the floor. Answers have none: one token makes a whole answer
    another, and `steps_equal` has the floor that they could have.
    """
    pairs = list(zip(true, found, strict=True))
    equal = round(float(np.mean([t == f for t, f in pairs])), 3)
    if role != "cropper":
        return asdict(AnswerParity(len(pairs), equal))
    overlap = round(float(np.mean([iou(t, f) for t, f in pairs])), 3)
    refuse_below(floor, "box_iou", overlap, onnx_model)
    return asdict(BoxParity(len(pairs), equal, overlap))


def _boxes(
    onnx_model: OnnxModel, processor: Idefics3Processor, resolutions: Sequence[int], pages: int
) -> Iterator[Box]:
    tokens = box_tokens(processor.tokenizer)
    for page, resolution in _pages(resolutions, pages):
        prompt = make_prompt(processor, [page.image], cropper_prompt(page.questions[0].text), resolution)
        yield greedy_box(onnx_model, onnx_model.prompt(prompt.ids, prompt.tiles, processor.image_token_id), tokens)


def _answers(
    onnx_model: OnnxModel, processor: Idefics3Processor, resolutions: Sequence[int], pages: int
) -> Iterator[Answer]:
    for page, resolution in _pages(resolutions, pages):
        question = page.questions[0]
        images = [page.image, cut(page.image, to_box(taught_region(page.to_percent(question.evidence_rect))))]
        prompt = make_prompt(processor, images, target_prompt(question.text), resolution)
        embeds = onnx_model.prompt(prompt.ids, prompt.tiles, processor.image_token_id)
        tokens, _ = onnx_model.generate(embeds, {processor.tokenizer.eos_token_id}, NEW_TOKENS)
        yield tuple(tokens)


def _pages(resolutions: Sequence[int], pages: int) -> Iterator[tuple[Page, int]]:
    for index in range(pages):
        yield dataset.make_page(dataset.HELD_OUT_SEED, index)[0], resolutions[index % len(resolutions)]
