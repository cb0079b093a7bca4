"""How far fp16, int8 and q4 are from torch and from fp32. They differ by design: what by is reported.

Refused is only what cannot be used: values that are not finite, or answers that are mostly others (FLOOR).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from transformers import Idefics3Processor

from cropvlm_trainer.contract import Box, cropper_prompt
from cropvlm_trainer.data import synth
from cropvlm_trainer.export.boxes import box_tokens, greedy_box
from cropvlm_trainer.export.expected import Expected, compare, make_prompt
from cropvlm_trainer.export.parity import Parity, ParityError, rounded
from cropvlm_trainer.export.session import OnnxModel
from cropvlm_trainer.measures import iou

FLOOR = 0.5
"""The least `steps_equal`, and a cropper's least mean IoU with fp32: below it most answers are others."""

BOX_PAGES = 16


@dataclass(frozen=True)
class LossyParity(Parity):
    """As Parity, but a tie counts like any other difference."""

    steps_equal: float
    """Share of torch's greedy tokens that are this precision's choice too, each behind torch's tokens, not its own."""


@dataclass(frozen=True)
class BoxParity:
    """Boxes against fp32's, on synthetic pages that no run trains on, decoded under the service's grammar."""

    boxes: int
    boxes_equal: float
    box_iou: float


def check_lossy(wanted: list[Expected], onnx_model: OnnxModel, floor: float = FLOOR) -> dict:
    """The LossyParity; raises ParityError where a value is not finite or `steps_equal` is below the floor."""
    worst, equal, right = np.zeros(3), 0, []
    for one in wanted:
        differences, logits, found = compare(one, onnx_model)
        worst = np.maximum(worst, differences)
        equal += found == one.tokens
        right += list(logits.argmax(axis=1) == one.tokens)
    parity = asdict(LossyParity(*rounded(worst), f"{equal}/{len(wanted)}", round(float(np.mean(right)), 3)))
    if not np.all(np.isfinite(worst)):
        raise ParityError(
            f"{onnx_model.name} gives values that are not finite: {parity}; leave this precision out of --precision"
        )
    _refuse_below(floor, "steps_equal", parity["steps_equal"], onnx_model)
    return parity


def check_boxes(true: Sequence[Box], boxes: Sequence[Box], onnx_model: OnnxModel, floor: float = FLOOR) -> dict:
    """The BoxParity of `boxes` with fp32's `true`; raises ParityError where their mean IoU is below the floor."""
    pairs = list(zip(true, boxes, strict=True))
    equal = float(np.mean([t == b for t, b in pairs]))
    overlap = float(np.mean([iou(t, b) for t, b in pairs]))
    parity = asdict(BoxParity(len(pairs), round(equal, 3), round(overlap, 3)))
    _refuse_below(floor, "box_iou", parity["box_iou"], onnx_model)
    return parity


def page_boxes(
    onnx_model: OnnxModel, processor: Idefics3Processor, resolutions: Sequence[int], pages: int = BOX_PAGES
) -> list[Box]:
    """The boxes of the first question of each page, the pages seen at the resolutions (longest edges) in turn."""
    tokens = box_tokens(processor.tokenizer)
    boxes = []
    for index in range(pages):
        page, _ = synth.make_page(synth.HELD_OUT_SEED, index)
        text = cropper_prompt(page.questions[0].text)
        prompt = make_prompt(processor, page.image, text, resolutions[index % len(resolutions)])
        embeds = onnx_model.prompt(prompt.ids, prompt.tiles, processor.image_token_id)
        boxes.append(greedy_box(onnx_model, embeds, tokens))
    return boxes


def _refuse_below(floor: float, name: str, value: float, onnx_model: OnnxModel) -> None:
    if value < floor:
        raise ParityError(
            f"{onnx_model.name} cannot be used: {name} is {value}, below {floor}; "
            "leave this precision out of --precision, or take it as it is with a lower --floor"
        )
