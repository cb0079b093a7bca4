"""The CropVLM contract: prompts and the text form of a box, stated once for the trainer.

The TypeScript service states the same in `src/prompts.ts` and `src/box.ts`; the goldens under
`test/fixtures/golden` keep the two equal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from cropvlm_trainer.boxes import Box, is_box

PROMPT_CONTRACT = 1

END_OF_UTTERANCE = "<end_of_utterance>"
CHAT_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)

# 0-9, as the service has it: Python's `\d` would take every script's digits.
_BOX = re.compile(r"\s*\[\s*([0-9]{1,4})\s*,\s*([0-9]{1,4})\s*,\s*([0-9]{1,4})\s*,\s*([0-9]{1,4})\s*\]\.?\s*")


def cropper_prompt(question: str) -> str:
    """The text after the image for the cropper."""
    return f"{question.capitalize()}\nOutline the region in the image that would help answer this question."


def target_prompt(question: str) -> str:
    """The text after the images (full, crop) for the target and the reward VLM."""
    return f"{question.capitalize()}\nGive a very brief answer."


def seed_prompt(question: str) -> str:
    """The text after the image for the big VLM that gives seed boxes; the question as it is."""
    return (
        f"Outline the region in the image that would help answer the following question: {question}\n"
        "Output the coordinates in JSON format with a 'bbox_2d' field containing [x1, y1, x2, y2]."
    )


def answer_text(answer: str) -> str:
    """An answer as the target is taught to write it, with the space that follows `Assistant:`."""
    return f" {answer.capitalize()}."


def format_box(box: Sequence[float]) -> str:
    """The box as the model writes it, leading space included; per cents are truncated, not rounded."""
    return " [" + ", ".join(str(int(v)) for v in box) + "]."


def parse_box(text: str) -> Box | None:
    """The box of a whole answer, or None where it holds no valid one."""
    match = _BOX.fullmatch(text)
    if not match:
        return None
    x1, y1, x2, y2 = (int(v) for v in match.groups())
    box = (x1, y1, x2, y2)
    return box if is_box(box) else None


def to_pixels(box: Sequence[float], width: int, height: int) -> Box:
    """Per cent to pixels: floor of the top-left, ceiling of the bottom-right; at least one pixel each way."""
    left = min(math.floor(box[0] * width / 100), width - 1)
    top = min(math.floor(box[1] * height / 100), height - 1)
    return (
        left,
        top,
        max(math.ceil(box[2] * width / 100), left + 1),
        max(math.ceil(box[3] * height / 100), top + 1),
    )
