"""The CropVLM contract: prompts and the text form of a box, stated once for the trainer.

The TypeScript service states the same in `src/contract/prompts.ts` and `src/contract/box.ts`. The goldens in
`test/fixtures/golden`, which the trainer writes and the service's tests read, keep the two equal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from cropvlm_trainer.boxes import Box, is_box

PROMPT_CONTRACT = 1
"""The version of the prompts below. An exported folder names it, and the service refuses a version it does not know."""

END_OF_UTTERANCE = "<end_of_utterance>"
CHAT_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)

# The digits and the white space of JSON: Python's `\d` and `\s` take other characters than JavaScript's.
_S, _N = "[ \\t\\n\\r]*", "([0-9]{1,4})"
_BOX = re.compile(rf"{_S}\[{_S}{_N}{_S},{_S}{_N}{_S},{_S}{_N}{_S},{_S}{_N}{_S}\]\.?{_S}")


# What `str.isspace` or JavaScript's `\s` takes (they differ in U+001C..1F, U+0085 and U+FEFF), the zero-width space
# and the word joiner; as in the service's `src/contract/question.ts`.
_WHITE = re.compile("[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]+")


def one_line(question: str) -> str:
    """Returns a question without white space at its ends, and with one space for each run of it inside."""
    return _WHITE.sub(" ", question).strip(" ")


CROPPER_REQUEST = "Outline the region in the image that would help answer this question."


def cropper_prompt(question: str, request: str = CROPPER_REQUEST) -> str:
    """Returns the text that follows the image in the cropper's prompt.

    Another `request` is for models that were not taught this one.
    """
    return f"{one_line(question).capitalize()}\n{request}"


def target_prompt(question: str) -> str:
    """Returns the text that follows the images (full, crop) in the prompt of the target and of the reward VLM."""
    return f"{one_line(question).capitalize()}\nGive a very brief answer."


def seed_prompt(question: str) -> str:
    """Returns the text that follows the image in the prompt of the big VLM that gives seed boxes.

    Unlike in the other prompts, the question's capitals stay as they are.
    """
    return (
        f"Outline the region in the image that would help answer the following question: {question}\n"
        "Output the coordinates in JSON format with a 'bbox_2d' field containing [x1, y1, x2, y2]."
    )


def answer_text(answer: str) -> str:
    """Returns an answer as the target is trained to write it, with the space that follows `Assistant:`."""
    return f" {answer.capitalize()}."


def format_box(box: Sequence[float]) -> str:
    """Returns a box in per cent as the model writes it, with a leading space; numbers are truncated, not rounded."""
    return " [" + ", ".join(str(int(v)) for v in box) + "]."


def parse_box(text: str) -> Box | None:
    """Returns the box in per cent that a whole answer consists of, or None where the answer is not a valid box."""
    match = _BOX.fullmatch(text)
    if not match:
        return None
    x1, y1, x2, y2 = (int(v) for v in match.groups())
    box = (x1, y1, x2, y2)
    return box if is_box(box) else None


def to_pixels(box: Sequence[float], width: int, height: int) -> Box:
    """Turns a box in per cent into pixels of an image of this size.

    The top left is rounded down, the bottom right up, and each side is at least one pixel long.
    """
    left = min(math.floor(box[0] * width / 100), width - 1)
    top = min(math.floor(box[1] * height / 100), height - 1)
    return (
        left,
        top,
        max(math.ceil(box[2] * width / 100), left + 1),
        max(math.ceil(box[3] * height / 100), top + 1),
    )
