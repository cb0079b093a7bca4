"""ANLS, the measure of DocVQA, InfographicVQA and ST-VQA (Biten et al. 2019, "Scene Text Visual Question Answering").

The service's `npm run eval` states the same in `src/cli/eval/metrics.ts`.
"""

from __future__ import annotations

from collections.abc import Sequence

THRESHOLD = 0.5


def anls(prediction: str, answers: Sequence[str]) -> float:
    """0..1: the best 1 - NL over the answers, and 0 where NL, the normalised edit distance, is 0.5 or more.

    Case, spaces around and between words, and one trailing full stop do not count: the models of this family are
    trained to end their answers with one.
    """
    return max((_similarity(_plain(prediction), _plain(answer)) for answer in answers), default=0.0)


def _plain(text: str) -> str:
    return " ".join(text.lower().strip().removesuffix(".").split())


def _similarity(a: str, b: str) -> float:
    longest = max(len(a), len(b))
    distance = edit_distance(a, b) / longest if longest else 0.0
    return 1 - distance if distance < THRESHOLD else 0.0


def edit_distance(a: str, b: str) -> int:
    """Levenshtein's: insertions, deletions and substitutions of code points."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        following = [i]
        for j, other in enumerate(b, start=1):
            following.append(min(row[j - 1] + (letter != other), row[j] + 1, following[j - 1] + 1))
        row = following
    return row[-1]
