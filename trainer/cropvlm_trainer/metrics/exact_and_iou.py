"""Measures of answers and boxes, as pure functions (contract, "Measures"; paper, Appendix B)."""

from __future__ import annotations

from collections.abc import Sequence

Rect = Sequence[float]


def normalised(answer: str) -> str:
    """Lower-case, stripped, one trailing full stop removed (the reference code's comparison)."""
    answer = answer.strip().lower()
    return answer.removesuffix(".").strip()


def exact_match(prediction: str, answers: Sequence[str]) -> bool:
    return normalised(prediction) in {normalised(answer) for answer in answers}


def intersection(a: Rect, b: Rect) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def area(rect: Rect) -> float:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def iou(predicted: Rect, true: Rect) -> float:
    shared = intersection(predicted, true)
    return shared / (area(predicted) + area(true) - shared)


def recall(predicted: Rect, true: Rect) -> float:
    """The share of the true box that the predicted one covers."""
    return intersection(predicted, true) / area(true)


def contains(predicted: Rect, true: Rect) -> bool:
    return predicted[0] <= true[0] and predicted[1] <= true[1] and predicted[2] >= true[2] and predicted[3] >= true[3]


def box_measures(predicted: Sequence[Rect | None], true: Sequence[Rect]) -> dict[str, float]:
    """Means over all instances, in 0..1; where there is no valid box the whole image stands in, and is counted."""
    boxes = [(0, 0, 100, 100) if box is None else box for box in predicted]
    pairs = list(zip(boxes, true, strict=True))
    count = len(pairs)
    return {
        "iou": sum(iou(p, t) for p, t in pairs) / count,
        "recall": sum(recall(p, t) for p, t in pairs) / count,
        "full_recall": sum(contains(p, t) for p, t in pairs) / count,
        "size": sum(area(p) / 10_000 for p in boxes) / count,
        "valid": sum(box is not None for box in predicted) / count,
    }
