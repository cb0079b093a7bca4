"""Golden of what big VLMs reply, which the service's dialects (`src/cropper/dialects/read`) read too."""

from cropvlm_trainer.data.columns import Rejection
from cropvlm_trainer.data.seed.parse import boxes_in

MADE_BY = (
    "cropvlm_trainer.data.seed.parse. `reply`: what a model wrote; `box`: the first box in it, in the order and unit "
    "of the reply, null where there is none."
)

REPLIES = [
    "",
    " \n",
    '{"bbox_2d": [1, 2, 3, 4]}',
    '{"bbox_2d": [-1.5, .2, 3e1, +4.]}',
    'The sign: {"label": "a]", "bbox_2d" : [1.5, 2, 3e1, 4]}. Hope it helps.',
    '```json\n[\n\t{"bbox_2d": [1, 2,\n 3, 4], "label": "a"},\n{"bbox_2d": [5, 6, 7, 8]}]```',
    '{"regions": [{"at": {"box_2d": [1, 2, 3, 4]}}]}',
    '[{"bbox_2d": [1, 2, 3, 4], "label": "cut off behi',
    'I answer as {"bbox_2d": [x1, y1, x2, y2]}: {"bbox_2d": [1, 2, 3, 4]}',
    "The region is at [1, 2, 3, 4].",
    "[[1, 2, 3, 4], [5, 6, 7, 8]]",
    "[1,2,3,4]",
    "[1; 2; 3; 4]",
    "[1, 2, 3, 4,]",
    "<|box_start|>(1,2),(3,4)<|box_end|>",
    "<|begin_of_box|>[[1,2,3,4]]<|end_of_box|>",
    "{'bbox_2d': [1, 2, 3, 4]}",
    "bbox_2d = (1, 2, 3, 4)",
    '{"bbox": [1, 2, 3, 4], "label": "a"}',
    '{"Bounding_Box": [1, 2, 3, 4]}',
    '{"bbox_2d": [[1, 2, 3, 4]]}',
    '{"bbox_2d": [[1, 2], [3, 4]]}',
    '{"bbox_2d": ["1", "2", "3", "4"]}',
    '{"bbox_2d": "[1, 2, 3, 4]"}',
    '{"bbox": "1, 2, 3, 4"}',
    "Of 3 signs, [9, 9, 9, 9] is none: {'bbox_2d': [1, 2, 3, 4]}",
    '<tool_call>{"name": "zoom", "arguments": {"bbox_2d": [1, 2, 3, 4]}}</tool_call> [5, 6, 7, 8]',
    '{"x1": 1, "y1": 2, "x2": 3, "y2": 4}',
    '{"ymin": "2", "xmin": "1", "ymax": "4", "xmax": "3"}',
    '{"bbox": {"left": 1, "top": 2, "right": 3, "bottom": 4}}',
    "x_min=1; y_min=2; x_max=3; y_max=4;",
    '{"x1": 9, "x1": 1, "y1": 2, "x2": 3, "y2": 4} or [5, 6, 7, 8]',
    '{"x1": 1, "y1": 2, "x2": 3}',
    "<think>Perhaps [5, 6, 7, 8]? No.</think>\n[1, 2, 3, 4]",
    "Perhaps [5, 6, 7, 8]? No.\n</think>\n\n[1, 2, 3, 4]",
    "<think>One.</think> [5, 6, 7, 8] <think>Two.</think> [1, 2, 3, 4]",
    "[1, 2, 3, 4] <think>And [5, 6, 7, 8]",
    "<think>Perhaps [1, 2, 3, 4]? I have to",
    "<think>Perhaps [1, 2, 3, 4]?</think> It is not there.",
    "[1,\u00a02,\u30003,\u20284]",
    "[1,\u200b2, 3, 4]",
    "[\u0661, 2, 3, 4]",
    "The region is at 1, 2, 3, 4.",
    "[1, 2, 3, 4",
    "[1, 2, 3]",
    "[1, 2, 3, 4, 5]",
    '{"bbox_2d": null}',
    '{"bbox_2d": []}',
    '{"bbox_2d": [1, 2, 3',
    '{"bbox_2d": [1, 2, 3]}',
    '{"bbox_2d": [1, 2, 3, 4, 5]}',
    '{"bbox_2d": [true, 2, 3, 4]}',
    '{"bbox_2d": [1, 2, NaN, 4]}',
    '{"bbox_2d": [1, 2, 1e999, 4]}',
    '{"bbox_2d": [1, 2, 1e9999, 4]}',
    "[Infinity, 0, 1, 1]",
    '{"point_2d": [12, 13]}',
    "I'm sorry, but I can't help with that.",
    "\u0000\ud800[",
    "[1" + " " * 99 + ", 2, 3, 4]",
    "[1" + " " * 100 + ", 2, 3, 4]",
]


def replies() -> dict:
    """Returns the golden."""
    return {"made_by": MADE_BY, "cases": [{"reply": reply, "box": first_box(reply)} for reply in REPLIES]}


def first_box(reply: str) -> list[float] | None:
    """Returns the first box of a reply; None where there is none."""
    try:
        return boxes_in(reply)[0]
    except Rejection:
        return None
