"""Goldens of the contract: the text of a box, its pixels, and what the service reads of a folder's cropvlm.json."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import product

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import PROMPT_CONTRACT, format_box, one_line, parse_box, to_pixels
from cropvlm_trainer.export.check.pages import AnswerParity, BoxParity
from cropvlm_trainer.export.manifest import FORMAT

MADE_BY = (
    "cropvlm_trainer.contract and cropvlm_trainer.export. `folder`: `format` and `prompt_contract` of cropvlm.json, "
    "and by role where under `scores` it says how well int8 agrees with fp32. `texts`: a model's whole answer, and "
    "either its box or what is wrong with it. `boxes`: a box as the model writes it. `pixels`: per cent to pixels. "
    "`questions`: a question with the character in and around it, and as the prompts have it."
)

NO_BOX = [
    "",
    " ",
    "unanswerable",
    "[]",
    "[1, 2, 3]",
    "[1, 2, 3, 4, 5]",
    "[1, 2, 3, 4",
    "1, 2, 3, 4]",
    "1, 2, 3, 4",
    "(1, 2, 3, 4)",
    "[[1, 2, 3, 4]]",
    "[1 2 3 4]",
    "[1,, 2, 3, 4]",
    "[1, 2, 3, 4,]",
    "[1, 2, 3, 4]..",
    "[1, 2, 3, 4] .",
    "[1, 2, 3, 4];",
    "[1, 2, 3, 4] is it",
    "It is [1, 2, 3, 4].",
    "[1, 2, 3, 4]. [1, 2, 3, 4].",
    "[1.5, 2, 3, 4]",
    "[1., 2, 3, 4]",
    "[-1, 2, 3, 4]",
    "[+1, 2, 3, 4]",
    "[1e1, 2, 30, 40]",
    "[12345, 2, 3, 4]",
    "[00001, 2, 3, 4]",
    "[1 0, 2, 30, 40]",
    "[a, b, c, d]",
    "[\uff11, 2, 3, 4]",
    "[\u0661, 2, 3, 4]",
    "[1\uff0c 2, 3, 4]",
    "\u200b[1, 2, 3, 4]",
    "\ufeff[1, 2, 3, 4]",
    "\u0085[1, 2, 3, 4]",
    "[1,\u001c2, 3, 4]",
    "[1,\u00a02, 3, 4]",
    "\u3000[1, 2, 3, 4]",
]
VALID: list[tuple[str, Box]] = [
    (" [12, 5, 80, 47].", (12, 5, 80, 47)),
    ("[0,0,100,100]", (0, 0, 100, 100)),
    ("\n[ 1 ,2 , 3,  4 ] \n", (1, 2, 3, 4)),
    ("\r\n\t[1,\t2,\n3,\r4].\t", (1, 2, 3, 4)),
    ("[007, 0, 08, 0001].", (7, 0, 8, 1)),
]
# All that Unicode, Python or JavaScript may take for white space or draw without a width, and what is beside it.
PERHAPS_WHITE = [
    *range(0x00, 0x22),
    *range(0x7F, 0xA2),
    *(0xAD, 0x034F, 0x061C, 0x115F, 0x1680, 0x180E),
    *range(0x1FFF, 0x2030),
    *range(0x205E, 0x2070),
    *(0x2800, 0x3000, 0x3164, 0xFEFF, 0xFFA0),
]
SIDES = (0, 1, 50, 99, 100, 101, 999, 9999)
BOXES: list[Box] = [
    (0, 0, 100, 100),
    (0, 0, 1, 1),
    (99, 99, 100, 100),
    (12, 5, 80, 47),
    (7, 14, 28, 55),
    (33, 33, 34, 34),
]
SIZES = [(1, 1), (2, 3), (10, 1000), (37, 11), (100, 100), (640, 480), (1600, 1200), (6000, 3999)]


def contract() -> dict:
    """Raises AssertionError where the trainer's reader of boxes does not give what is written here by hand."""
    return {"made_by": MADE_BY, "cases": [_folder(), *_texts(), *_formatted(), *_pixels(), *_questions()]}


def _folder() -> dict:
    scores = {"cropper": _key(BoxParity, "box_iou"), "target": _key(AnswerParity, "answers_equal")}
    return {"kind": "folder", "format": FORMAT, "prompt_contract": PROMPT_CONTRACT, "scores": scores}


def _key(parity: type, name: str) -> list[str]:
    assert name in {field.name for field in fields(parity)}
    return ["parity", "int8", name]


def _texts() -> Iterator[dict]:
    for text, box in VALID:
        yield _read(text, "valid", box)
    for text in NO_BOX:
        yield _read(text, "no_box", None)
    for x1, y1, x2, y2 in (*product(SIDES, (10,), SIDES, (90,)), *product((10,), SIDES, (90,), SIDES)):
        verdict = "out_of_range" if max(x1, x2, y1, y2) > 100 else "empty_box" if x2 <= x1 or y2 <= y1 else "valid"
        yield _read(f" [{x1}, {y1}, {x2}, {y2}].", verdict, (x1, y1, x2, y2) if verdict == "valid" else None)


def _read(text: str, verdict: str, box: Box | None) -> dict:
    assert parse_box(text) == box, text
    return {"kind": "texts", "text": text, "verdict": verdict, "box": box}


def _formatted() -> Iterator[dict]:
    for box in BOXES:
        yield {"kind": "boxes", "box": box, "text": format_box(box)}


def _pixels() -> Iterator[dict]:
    for box, (width, height) in product(BOXES, SIZES):
        yield {"kind": "pixels", "box": box, "width": width, "height": height, "pixels": to_pixels(box, width, height)}


def _questions() -> Iterator[dict]:
    for code in PERHAPS_WHITE:
        one = chr(code)
        for question in (f"{one}{one}What is{one}here?{one}", f"a{one} {one}b \n"):
            yield {"kind": "questions", "question": question, "line": one_line(question)}
