"""Exact match of answers and the measures of boxes, as pure functions (paper, Appendix B).

The service's `npm run eval` states the same in `src/evaluation/measures.ts`.
"""

from __future__ import annotations

from collections.abc import Sequence

from cropvlm_trainer.boxes import WHOLE

Rect = Sequence[float]
"""`(x1, y1, x2, y2)`, in any unit that the rectangles of a measure share."""
COVERED = 0.9
"""The share of a line that a box must hold to count as a hit."""


def normalised(answer: str) -> str:
    """Returns the answer as exact match and ANLS compare it.

    That is in lower case, without one trailing full stop, and with one space between words. The evaluations of VQA and
    DocVQA too put one space where there are several. The full stop is ours: the models of this family are trained to
    end their answers with one.
    """
    return " ".join(answer.lower().strip().removesuffix(".").split())


def exact_match(prediction: str, answers: Sequence[str]) -> bool:
    """Whether the normalised prediction equals one of the normalised answers."""
    return normalised(prediction) in {normalised(answer) for answer in answers}


def intersection(a: Rect, b: Rect) -> float:
    """Returns the area that both rectangles cover."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def area(rect: Rect) -> float:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def iou(predicted: Rect, true: Rect) -> float:
    """Returns the area of the intersection divided by the area of the union, in 0..1."""
    shared = intersection(predicted, true)
    return shared / (area(predicted) + area(true) - shared)


def recall(predicted: Rect, true: Rect) -> float:
    """Returns the share of the true box that the predicted one covers, in 0..1."""
    return intersection(predicted, true) / area(true)


def contains(predicted: Rect, true: Rect) -> bool:
    """Whether the predicted box covers all of the true one."""
    return predicted[0] <= true[0] and predicted[1] <= true[1] and predicted[2] >= true[2] and predicted[3] >= true[3]


def box_measures(predicted: Sequence[Rect | None], true: Sequence[Rect]) -> dict[str, float]:
    """Returns the means of all measures over the instances, in 0..1. Boxes are in per cent.

    `size` is the mean area as a share of the image's, `full_recall` the share of instances whose true box is covered
    completely, `valid` the share with a valid box. An instance without a valid box (None) counts as the whole image.
    """
    boxes = [WHOLE if box is None else box for box in predicted]
    pairs = list(zip(boxes, true, strict=True))
    count = len(pairs)
    return {
        "iou": sum(iou(p, t) for p, t in pairs) / count,
        "recall": sum(recall(p, t) for p, t in pairs) / count,
        "full_recall": sum(contains(p, t) for p, t in pairs) / count,
        "size": sum(area(p) / 10_000 for p in boxes) / count,
        "valid": sum(box is not None for box in predicted) / count,
    }
