"""ANLS, the measure of DocVQA, InfographicVQA and ST-VQA (Biten et al. 2019, "Scene Text Visual Question Answering").

The service's `npm run eval` states the same in `src/evaluation/measures.ts`; `test/fixtures/golden/measures.json` keeps
the two equal.
"""

from __future__ import annotations

from collections.abc import Sequence

from cropvlm_trainer.metrics.exact_and_iou import normalised

THRESHOLD = 0.5


def anls(prediction: str, answers: Sequence[str]) -> float:
    """Returns the highest similarity to any of the answers, in 0..1; 0 without answers.

    The similarity is 1 - NL, where NL is the edit distance divided by the length of the longer text, and 0 where NL is
    `THRESHOLD` or more. What does not count for exact match (`normalised`) does not count here.
    """
    return max((_similarity(normalised(prediction), normalised(answer)) for answer in answers), default=0.0)


def _similarity(a: str, b: str) -> float:
    longest = max(len(a), len(b))
    distance = edit_distance(a, b) / longest if longest else 0.0
    return 1 - distance if distance < THRESHOLD else 0.0


def edit_distance(a: str, b: str) -> int:
    """Returns Levenshtein's distance: the fewest insertions, deletions and substitutions of code points."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        following = [i]
        for j, other in enumerate(b, start=1):
            following.append(min(row[j - 1] + (letter != other), row[j] + 1, following[j - 1] + 1))
        row = following
    return row[-1]
