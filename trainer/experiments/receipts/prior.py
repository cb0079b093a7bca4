"""Writes boxes that depend on the question alone and on no picture: each where most of its answers stand in training.

python experiments/receipts/prior.py --questions FILE --train SEEDED.jsonl --like BOXES.jsonl --out PRIOR.jsonl

A question gets the box that covers the most lines of the same question in `--train`, no larger than the boxes of
`--like` are in the mean for its field, or for labels. Questions that training asks fewer than `FEW` times share a box.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from statistics import mean

import numpy as np

COVERED = 0.9
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


def prior(questions: Iterable[dict], train: Iterable[dict], like: dict[str, dict]) -> list[dict]:
    """Returns a row `{"id", "bbox", "confidence"}` for each question; confidence is null."""
    lines, sizes, rows = defaultdict(list), defaultdict(list), list(questions)
    for row in train:
        lines[row["question"]].append(row["seed"]["line"])
    few = {question for question, some in lines.items() if len(some) < FEW}
    for row in rows:
        x1, y1, x2, y2 = like[row["id"]]["bbox"] if row["id"] in like else (0, 0, 100, 100)
        sizes[_kind(row)].append((x2 - x1) * (y2 - y1))
    boxes, found = {}, []
    for row in rows:
        question, size = row["question"], mean(sizes[_kind(row)])
        key = question if question in lines and question not in few else None
        if (key, size) not in boxes:
            of = lines[key] if key else [line for some in lines.values() for line in some]
            boxes[key, size] = best_box(of, size)
        found.append({"id": row["id"], "bbox": boxes[key, size], "confidence": None})
    return found


def _kind(row: dict) -> str:
    return row.get("field") or row["kind"]


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("questions", "train", "like", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    rows = prior(read(args.questions), read(args.train), {box["id"]: box for box in read(args.like)})
    args.out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
