"""How often fp16, int8 and q4 give on whole pages what fp32 gives: a cropper's boxes, or a target's answers.

The pages are of a data set, or synthetic ones that no run trains on. On a CPU the service chooses int8 by itself only
where these agree.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from transformers import Idefics3Processor

from cropvlm_trainer.boxes import WHOLE, Box, taught_region, to_box
from cropvlm_trainer.contract import cropper_prompt, target_prompt
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.export.check.agreement import refuse_below
from cropvlm_trainer.export.check.expected import NEW_TOKENS, make_prompt
from cropvlm_trainer.export.check.greedy_boxes import box_tokens, greedy_box
from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.export.settings import FLOOR
from cropvlm_trainer.idefics3.image_processing import crop
from cropvlm_trainer.metrics.exact_and_iou import iou
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.rows import check_images, read_rows

Answer = tuple[int, ...]
"""Token ids."""


@dataclass(frozen=True)
class BoxParity:
    """Boxes under the service's grammar, compared with fp32's."""

    boxes: int
    """how many were compared"""
    boxes_equal: float
    """the share of them"""
    box_iou: float
    """the mean over all boxes, the equal ones included"""


@dataclass(frozen=True)
class AnswerParity:
    """A target's whole answers from the full image and the true box's crop, compared with fp32's token by token."""

    answers: int
    """how many were compared"""
    answers_equal: float
    """the share of them"""


class Asked(NamedTuple):
    image: Image.Image
    question: str
    box: Box
    """what a target's crop shows; a cropper is not told"""


Pages = Callable[[], Iterator[Asked]]
"""Opens the pages anew each time, so that few are in memory at once."""


def drawn(count: int) -> Pages:
    """Returns so many synthetic pages."""
    return partial(_drawn, count)


def of_data(manifest: Path, count: int, role: str) -> Pages:
    """Returns so many questions of a data set (JSONL), evenly spaced over it; a target's rows need a `box`.

    Raises as `read_rows` and `check_images`.
    """
    needs = ("image", "question") if role == "cropper" else ("image", "question", "box")
    rows = read_rows(manifest, needs=needs)
    some = [rows[number * len(rows) // count] for number in range(count)] if count < len(rows) else rows
    check_images(manifest, some)
    return partial(_of_rows, manifest.parent, some)


def on_pages(
    role: str, onnx_model: OnnxModel, processor: Idefics3Processor, resolutions: Sequence[int], pages: Pages
) -> list[Box] | list[Answer]:
    """A cropper's boxes or a target's answers on these pages.

    `resolutions`: longest edges in pixels, at which the pages are seen in turn.
    """
    if role == "cropper":
        return list(_boxes(onnx_model, processor, resolutions, pages))
    return list(_answers(onnx_model, processor, resolutions, pages))


def check_pages(
    role: str, reference: Sequence, found: Sequence, onnx_model: OnnxModel, floor: float = FLOOR
) -> dict[str, float]:
    """The BoxParity or AnswerParity of what a precision `found` with fp32's `reference`, as a dict.

    Raises ParityError where the boxes' mean IoU is below the floor. Answers have no floor: one token that differs makes
    a whole answer differ, and `steps_equal` has a floor already.
    """
    pairs = list(zip(reference, found, strict=True))
    equal = round(float(np.mean([one == other for one, other in pairs])), 3)
    if role != "cropper":
        return asdict(AnswerParity(len(pairs), equal))
    overlap = round(float(np.mean([iou(one, other) for one, other in pairs])), 3)
    refuse_below(floor, "box_iou", overlap, onnx_model)
    return asdict(BoxParity(len(pairs), equal, overlap))


def _boxes(
    onnx_model: OnnxModel, processor: Idefics3Processor, resolutions: Sequence[int], pages: Pages
) -> Iterator[Box]:
    tokens = box_tokens(processor.tokenizer)
    for number, page in enumerate(pages()):
        resolution = resolutions[number % len(resolutions)]
        prompt = make_prompt(processor, [page.image], cropper_prompt(page.question), resolution)
        yield greedy_box(onnx_model, onnx_model.prompt(prompt.ids, prompt.tiles, processor.image_token_id), tokens)


def _answers(
    onnx_model: OnnxModel, processor: Idefics3Processor, resolutions: Sequence[int], pages: Pages
) -> Iterator[Answer]:
    for number, page in enumerate(pages()):
        images = [page.image, crop(page.image, page.box)]
        prompt = make_prompt(processor, images, target_prompt(page.question), resolutions[number % len(resolutions)])
        embeds = onnx_model.prompt(prompt.ids, prompt.tiles, processor.image_token_id)
        tokens, _ = onnx_model.generate(embeds, {processor.tokenizer.eos_token_id}, NEW_TOKENS)
        yield tuple(tokens)


def _drawn(count: int) -> Iterator[Asked]:
    for index in range(count):
        page = dataset.make_page(dataset.HELD_OUT_SEED, index)[0]
        question = page.questions[0]
        yield Asked(page.image, question.text, to_box(taught_region(page.to_percent(question.evidence_rect))))


def _of_rows(folder: Path, rows: Sequence[dict]) -> Iterator[Asked]:
    for row in rows:
        yield Asked(open_picture(folder / row["image"]), row["question"], to_box(row.get("box") or WHOLE))
