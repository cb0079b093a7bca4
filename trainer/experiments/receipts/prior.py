"""Writes boxes that depend on the question alone and on no picture: each where most of its answers stand in training.

python experiments/receipts/prior.py --questions FILE --train SEEDED.jsonl --like BOXES.jsonl --out PRIOR.jsonl

A question gets the box that covers the most lines of the same question in `--train`, no larger than the boxes of
`--like` are in the mean for its field, or for labels. Questions that training asks fewer than `FEW` times share a box.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from statistics import mean

import numpy as np

from cropvlm_trainer.boxes import WHOLE
from cropvlm_trainer.files import to_lines
from cropvlm_trainer.metrics.exact_and_iou import COVERED, area
from cropvlm_trainer.rows import read_rows

FEW = 5
STEP = 2.5
"""Sides of the boxes that are tried lie on multiples of this many per cent."""


def best_box(lines: Sequence[Sequence[float]], size: float) -> list[float]:
    """Returns the box of at most `size` square per cent that covers most lines; of equals the smallest."""
    sides = np.arange(0, 100 + STEP / 2, STEP)
    spans = np.array(list(combinations(sides, 2)))
    x1, y1, x2, y2 = (np.asarray(lines, dtype=np.float32)[:, side] for side in range(4))
    across, down = _shared(spans, x1, x2), _shared(spans, y1, y2)
    best, box = (-1, 0.0), [0.0, 0.0, 100.0, 100.0]
    for (left, right), share in zip(spans, across, strict=True):
        low = spans[:, 1] - spans[:, 0] <= size / (right - left)
        counts = np.where(low, (down * share >= COVERED).sum(axis=1), -1)
        for at in np.flatnonzero(counts == counts.max()):
            found = (int(counts[at]), -(right - left) * (spans[at, 1] - spans[at, 0]))
            if found > best:
                best, box = found, [float(left), float(spans[at, 0]), float(right), float(spans[at, 1])]
    return box


def _shared(spans: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Returns which share of each line lies within each span, of one axis, `[spans, lines]`."""
    inside = np.minimum(spans[:, 1:], end) - np.maximum(spans[:, :1], start)
    return np.clip(inside, 0, None) / np.maximum(end - start, 1e-6)


def prior(questions: Sequence[dict], train: Iterable[dict], like: dict[str, dict]) -> list[dict]:
    """Returns a row `{"id", "bbox", "confidence"}` for each question; confidence is null."""
    everywhere, lines, sizes = [], defaultdict(list), defaultdict(list)
    for row in train:
        everywhere.append(row["seed"]["line"])
        lines[row["question"]].append(row["seed"]["line"])
    for row in questions:
        sizes[_kind(row)].append(area(like[row["id"]]["bbox"] if row["id"] in like else WHOLE))
    boxes, found = {}, []
    for row in questions:
        kind = _kind(row)
        own = lines.get(row["question"], ())
        key = (kind, row["question"] if len(own) >= FEW else None)
        if key not in boxes:
            boxes[key] = best_box(own if len(own) >= FEW else everywhere, mean(sizes[kind]))
        found.append({"id": row["id"], "bbox": boxes[key], "confidence": None})
    return found


def _kind(row: dict) -> str:
    return row.get("field") or row.get("kind") or "question"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("questions", "train", "like", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    rows = prior(read_rows(args.questions), read_rows(args.train), {box["id"]: box for box in read_rows(args.like)})
    args.out.write_bytes(to_lines(rows))
