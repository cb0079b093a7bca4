"""VQA accuracy and the answer normalisation of that benchmark's evaluation (visualqa.org/evaluation).

The service's `npm run eval` states the same rules in `src/cli/eval/normalise.ts` and `metrics.ts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import product

ANNOTATORS = 10
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {"none": "0", **{word: str(n) for n, word in enumerate(_DIGITS)}}
_ARTICLES = {"a", "an", "the"}
_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
# 0-9, as the service has it: Python's `\d` would take every script's digits.
_NUMBER_WITH_COMMA = re.compile(r"[0-9],[0-9]")
_POINT_OF_NO_NUMBER = re.compile(r"\.(?![0-9])")

_STEMS = {
    "n't": "ai are ca could did does do had has have is might must need ought sha should was were wo would",
    "n't've": "could had might should would",
    "'ve": "could i might must not should there they we what where who would you",
    "'ll": "how it somebody someone something that there they what who why y'all you",
    "'s": "he how somebody someone something that there what when where who why",
    "'d": "he how it somebody someone something that there they what when where who why you",
    "'d've": "he i it she somebody someone something there they we who y'all you",
    "'re": "there they what who why you",
    "'m": "i",
}
_OTHERS = ("o'clock", "ma'am", "y'all", "'twas", "'ow's'at")


def _misspellings(word: str) -> Iterator[str]:
    """Every way to write the word without one or more of its apostrophes."""
    first, *rest = word.split("'")
    for marks in product(("", "'"), repeat=len(rest)):
        if "" in marks:
            yield first + "".join(mark + part for mark, part in zip(marks, rest, strict=True))


def _contractions() -> dict[str, str]:
    """Spellings that lack an apostrophe, to the right ones. Stems are left out where that is a word (`its`, `well`)."""
    words = [stem + ending for ending, stems in _STEMS.items() for stem in stems.split()]
    return {wrong: word for word in (*words, *_OTHERS) for wrong in _misspellings(word)}


_CONTRACTIONS = _contractions()


def normalise_officially(answer: str) -> str:
    """The official normalisation of one answer.

    Lower case, number words as digits, articles dropped, apostrophes of contractions restored, punctuation removed
    but for apostrophes, colons, and the points inside numbers.
    """
    text = _without_punctuation(answer.replace("\n", " ").replace("\t", " ").strip())
    words = [_NUMBERS.get(word, word) for word in text.lower().split()]
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)


def normalise_as_reference(answer: str) -> str:
    """What the CropVLM reference code does instead: lower case, and one trailing full stop removed.

    It does so to the prediction alone; to the annotators' answers as well, as here, it makes a difference only where
    those have capitals or end in a full stop.
    """
    return answer.lower().removesuffix(".")


def vqa_accuracy(prediction: str, answers: Sequence[str]) -> float:
    """0..1: the mean over all leave-one-out sets of the answers of min(1, matches / 3), officially normalised."""
    return _leave_one_out(prediction, answers, normalise_officially)


def vqa_accuracy_as_reference(prediction: str, answers: Sequence[str]) -> float:
    """`vqa_accuracy` as the CropVLM reference code computes it: `normalise_as_reference`, no more."""
    return _leave_one_out(prediction, answers, normalise_as_reference)


def _leave_one_out(prediction: str, answers: Sequence[str], normalise: Callable[[str], str]) -> float:
    """Fewer than ten answers are repeated up to ten, so that one answer alone is right or wrong."""
    if not answers:
        raise ValueError("a question without answers cannot be scored; leave its row out of the manifest")
    found = normalise(prediction)
    same = [normalise(answer) == found for answer in answers]
    count = max(ANNOTATORS, len(same))
    matches = [same[i % len(same)] for i in range(count)]
    return sum(min(1.0, (sum(matches) - left_out) / 3) for left_out in matches) / count


def _without_punctuation(text: str) -> str:
    """A mark beside a space vanishes, and so do all marks of a text with a number like 1,000; others part words.

    That a comma inside a number takes all other marks with it is what the published evaluation does.
    """
    stripped, has_number = text, _NUMBER_WITH_COMMA.search(text) is not None
    for mark in _PUNCTUATION:
        vanishes = has_number or f"{mark} " in text or f" {mark}" in text
        stripped = stripped.replace(mark, "" if vanishes else " ")
    return _POINT_OF_NO_NUMBER.sub("", stripped)
