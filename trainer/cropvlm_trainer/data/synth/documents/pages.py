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
from cropvlm_trainer.data.synth.documents.place import TILTS, Placed, placed
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

WAYS: Mapping[str, Mapping[str, int]] = {
    "receipt": {"tight": 60, "sheet": 27, "table": 13},
    "invoice": {"tight": 80, "table": 20},
    "form": {"tight": 80, "table": 20},
    "table": {"tight": 80, "table": 20},
    "sign": {"scene": 1},
}
"""How often each kind is laid down in which way, see `place`."""
FOLDED = 0.4


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
    jpeg = scanned(rng, picture.image, picture.way in TILTS, picture.way == "sheet")
    return Document(kind, jpeg, tuple(lines), tuple((one, boxes[one.text]) for one in asked))


def pictured(layout: Layout, kind: str, rng: Random) -> Placed:
    """Returns the document as it was printed and laid down, before light and dust."""
    way = rng.choices(list(WAYS[kind]), weights=list(WAYS[kind].values()))[0]
    page = printed(painted(layout), layout.print, rng, is_faint=way != "sheet")
    if rng.random() < FOLDED and way not in ("sheet", "scene"):
        page = folded(rng, page)
    return placed(rng, page, layout.squeeze, way)
