"""Holds the service's boxes against the lines that show the answers, and writes a table.

python experiments/receipts/table.py --questions QUESTIONS.jsonl --train SEEDED.jsonl --out TABLE.md BOXES.jsonl ...

A line of QUESTIONS has the `lines` that show the answer, in per cent, as people marked them, or the one in `seed` that
an OCR found; `kind` "label" is a question about a label, and `field` says what others ask for. A line of BOXES is
`{"id", "bbox", "confidence"}`, as `npm run boxes` writes it; a question without one counts as missed. The labels of
`--train` are those that training has asked for.
"""

import argparse
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from random import Random
from statistics import mean, median

from cropvlm_trainer.boxes import WHOLE, Rect
from cropvlm_trainer.metrics.exact_and_iou import COVERED, area, recall
from cropvlm_trainer.rows import read_rows

DRAWS = 50
"""random boxes of each size, for what chance gives"""
LABEL = "label"
CONFIDENCE = "confidence, area under the curve"
SUREST, FROM = "the surest three quarters", "their least confidence"
NUMBERS = (CONFIDENCE, FROM)
"""rows that are not in per cent"""
ABOUT = """# Boxes on receipts kept apart

Made by `experiments/receipts/receipts.sh`. The share of questions whose box, given by the service, covers a line that
shows the answer by 90 % or more: of fields the lines that people marked, of labels ("What is the invoice no?") the line
in which an OCR read the value. A question without a box is a miss, and its size that of the whole page,
which covers every line.

- *by chance*: boxes of the same sizes in random places
- *whole*: the whole page
- *position-prior*: for each question one box, where most of its answers stand in training; no picture is looked at
- *other fields' boxes*: each field's lines held against the boxes of the same page's other fields
- *confidence*: how often a hit has more of it than a miss
- *the surest three quarters*: the hits among the boxes of fields with the most confidence; a `ZOOM_MIN_CONFIDENCE` of
  *their least confidence* keeps these and leaves the others out

"""


def kind_of(row: dict) -> str:
    return row.get("kind") or row.get("field") or "question"


def lines_of(row: dict) -> list[Rect]:
    return row["lines"] if "lines" in row else [row["seed"]["line"]]


def hit(box: Rect | None, lines: Sequence[Rect]) -> bool:
    """Whether the box covers one of the lines; without a box it does not."""
    return box is not None and any(recall(box, line) >= COVERED for line in lines)


def separation(marks: Sequence[tuple[float, bool]]) -> float | None:
    """Returns the area under the ROC curve: how often a hit has more confidence than a miss, ties as one half.

    None where all are hits, or all are misses.
    """
    hits, misses = ([c for c, is_hit in marks if is_hit is wanted] for wanted in (True, False))
    if not hits or not misses:
        return None
    return mean((one > other) + 0.5 * (one == other) for one in hits for other in misses)


def surest(marks: Sequence[tuple[float, bool]], share: float) -> tuple[float, float] | None:
    """Returns the share of hits among that share of the boxes, those of most confidence, and the least of theirs.

    Boxes of that least confidence all count. None without boxes.
    """
    if not marks:
        return None
    least = sorted((confidence for confidence, _ in marks), reverse=True)[ceil(share * len(marks)) - 1]
    return mean(is_hit for confidence, is_hit in marks if confidence >= least), least


def exchanged(rows: Sequence[dict], boxes: dict[str, dict]) -> float | None:
    """Returns the share of hits where each question's lines are held against the boxes of the image's others.

    Where that is high, the model gives a box without regard to what it is asked.
    """
    pairs = [(row, other) for row in rows for other in rows if row["image"] == other["image"] and row != other]
    if not pairs:
        return None
    return mean(hit(box_of(boxes, other), lines_of(row)) for row, other in pairs)


def by_chance(rows: Sequence[dict], boxes: dict[str, dict], seed: int = 0) -> float:
    """Returns the share of hits of boxes of the same sizes in random places."""
    draw = Random(seed)
    hits = []
    for row in rows:
        x1, y1, x2, y2 = box_of(boxes, row) or WHOLE
        for _ in range(DRAWS):
            left, top = draw.uniform(0, 100 - (x2 - x1)), draw.uniform(0, 100 - (y2 - y1))
            hits.append(hit((left, top, left + x2 - x1, top + y2 - y1), lines_of(row)))
    return mean(hits)


def box_of(boxes: dict[str, dict], row: dict) -> Rect | None:
    return boxes[row["id"]]["bbox"] if row["id"] in boxes else None


def groups(rows: Sequence[dict], known: set[str]) -> dict[str, list[dict]]:
    """Returns the questions by what they ask for. `known` are the questions about labels that training has asked."""
    fields = [row for row in rows if kind_of(row) != LABEL]
    labels = [row for row in rows if kind_of(row) == LABEL]
    found = {"all fields": fields}
    found |= {field: [row for row in fields if kind_of(row) == field] for field in sorted(set(map(kind_of, fields)))}
    found["labels that training asked for"] = [row for row in labels if row["question"] in known]
    found["new labels"] = [row for row in labels if row["question"] not in known]
    return {name: some for name, some in found.items() if some}


def scores(rows: Sequence[dict], boxes: dict[str, dict], known: set[str]) -> dict[str, float | None]:
    """Returns the shares of hits by group, the boxes' sizes as a share of the page, and what confidence tells."""
    by_group = groups(rows, known)
    found: dict[str, float | None] = {
        name: mean(hit(box_of(boxes, row), lines_of(row)) for row in some) for name, some in by_group.items()
    }
    fields = by_group["all fields"]
    sizes = [area(box_of(boxes, row) or WHOLE) / 10_000 for row in fields]
    found |= {"mean size": mean(sizes), "median size": median(sizes), "by chance": by_chance(fields, boxes)}
    found["other fields' boxes"] = exchanged(fields, boxes)
    sure = [(boxes[row["id"]]["confidence"], row) for row in fields if row["id"] in boxes]
    marks = [(confidence, hit(box_of(boxes, row), lines_of(row))) for confidence, row in sure if confidence is not None]
    found[CONFIDENCE] = separation(marks)
    found[SUREST], found[FROM] = surest(marks, 0.75) or (None, None)
    return found


def table(of: dict[str, dict[str, float | None]], counts: dict[str, int]) -> str:
    names = list(next(iter(of.values())))
    lines = ["| | n | " + " | ".join(of) + " |", "|---" * (len(of) + 2) + "|"]
    for name in names:
        cells = [_cell(name, each.get(name)) for each in of.values()]
        lines.append(f"| {name} | {counts.get(name, '')} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if name in NUMBERS else f"{100 * value:.1f} %"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("boxes", type=Path, nargs="+")
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = read_rows(args.questions)
    asked = {row["question"] for row in read_rows(args.train) if row.get("kind") == LABEL}
    boxes = {path.stem: read_rows(path) for path in args.boxes}
    boxes["whole"] = [{"id": row["id"], "bbox": WHOLE, "confidence": None} for row in rows]
    columns = {name: scores(rows, {box["id"]: box for box in some}, asked) for name, some in boxes.items()}
    counts = {name: len(some) for name, some in groups(rows, asked).items()}
    text = table(columns, counts)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(ABOUT + text, encoding="utf-8")
    print(text)
