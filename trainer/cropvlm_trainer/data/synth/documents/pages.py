"""Documents by seed and number: content, look and picture are drawn from one generator of random numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.data.seed.evidence import Line
from cropvlm_trainer.data.synth.documents.dirt import folded, scanned
from cropvlm_trainer.data.synth.documents.fonts import Fonts
from cropvlm_trainer.data.synth.documents.kinds import form, invoice, receipt, sign, table
from cropvlm_trainer.data.synth.documents.layout import Layout, Text, rect_of
from cropvlm_trainer.data.synth.documents.paint import painted, printed
from cropvlm_trainer.data.synth.documents.place import Placed, placed
from cropvlm_trainer.data.synth.documents.questions import Asked, asked_about

MAKERS: Mapping[str, Callable[[Random, Fonts], Layout]] = {
    "receipt": receipt.make,
    "invoice": invoice.make,
    "form": form.make,
    "table": table.make,
    "sign": sign.make,
}
WEIGHTS = {"receipt": 5, "invoice": 2, "form": 2, "table": 1, "sign": 1}
KINDS = tuple(WEIGHTS)
"""The kinds of documents; `WEIGHTS` has how often each is drawn, relative to the others."""


@dataclass(frozen=True)
class Document:
    kind: str
    jpeg: bytes
    lines: tuple[Line, ...]
    """all lines of text that are wholly in the picture, in reading order"""
    asked: tuple[tuple[Asked, Rect], ...]
    """the questions, each with the box of the line that shows its answer, in per cent"""


def make_document(seed: int, index: int, fonts: Fonts, kinds: Sequence[str] = KINDS) -> Document:
    """Returns document number `index` of a seed."""
    rng = Random(f"{seed}/{index}")
    kind = rng.choices(kinds, weights=[WEIGHTS[kind] for kind in kinds])[0]
    layout = MAKERS[kind](rng, fonts)
    picture = pictured(layout, kind, rng)
    lines: list[Line] = []
    boxes: dict[Text, Rect] = {}
    for texts in layout.lines():
        box = picture.rect(rect_of(texts))
        if min(box) >= 0 and max(box) <= 100:
            lines.append(Line(tuple(round(v, 2) for v in box), " ".join(text.text for text in texts)))  # type: ignore[arg-type]
            boxes |= dict.fromkeys(texts, lines[-1].box)
    asked = asked_about(layout, rng, list(boxes))
    is_scan = kind != "sign" and picture.way != "table"
    jpeg = scanned(rng, picture.image, is_scan, picture.way == "sheet")
    return Document(kind, jpeg, tuple(lines), tuple((one, boxes[one.text]) for one in asked))


def pictured(layout: Layout, kind: str, rng: Random) -> Placed:
    """Returns the document as it was printed and laid down, before light and dust."""
    page = printed(painted(layout), layout.print, rng)
    if kind == "receipt":
        way = rng.choices(("tight", "sheet", "table"), weights=(55, 27, 18))[0]
    else:
        way = "tight" if kind != "sign" and rng.random() < 0.8 else "table"
    if rng.random() < 0.5 and way != "sheet":
        page = folded(rng, page)
    outside = (255, 255, 255) if way == "sheet" else rng.choice(((255, 255, 255), (0, 0, 0), (200, 200, 200)))
    return placed(rng, page, layout.squeeze, way, outside, {"tight": 1.0, "sheet": 0.7, "table": 1.6}[way])
