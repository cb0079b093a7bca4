"""VQA accuracy, with the answer normalisation of that benchmark's own evaluation (visualqa.org/evaluation).

The service's `npm run eval` states the same rules in `src/evaluation/`; `test/fixtures/golden/measures.json` keeps the
two equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import product

ANNOTATORS = 10
"""Answers that the benchmark has for each question, one from each annotator."""
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {"none": "0", **{word: str(n) for n, word in enumerate(_DIGITS)}}
_ARTICLES = {"a", "an", "the"}
PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
# [0-9] and not \d, which in Python also matches the digits of other scripts; the service's pattern does not.
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
    """Yields every spelling of the word that lacks one or more of its apostrophes."""
    first, *rest = word.split("'")
    for marks in product(("", "'"), repeat=len(rest)):
        if "" in marks:
            yield first + "".join(mark + part for mark, part in zip(marks, rest, strict=True))


def _contractions() -> dict[str, str]:
    """Returns the right spelling of contractions by each spelling that lacks an apostrophe.

    `_STEMS` leaves out the contractions whose wrong spelling is another word, as `its` and `well`.
    """
    words = [stem + ending for ending, stems in _STEMS.items() for stem in stems.split()]
    return {wrong: word for word in (*words, *_OTHERS) for wrong in _misspellings(word)}


CONTRACTIONS = _contractions()


def normalise_officially(answer: str) -> str:
    """Normalises one answer as the published evaluation does.

    The result is in lower case, has digits for number words, no articles, the apostrophes of contractions restored, and
    no punctuation except apostrophes, colons and the points inside numbers.
    """
    text = _without_punctuation(answer.replace("\n", " ").replace("\t", " ").strip())
    words = [NUMBERS.get(word, word) for word in text.lower().split()]
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)


def normalise_as_reference(answer: str) -> str:
    """Normalises one answer as CropVLM's reference code does: lower case, without one trailing full stop.

    That code normalises only the prediction. Here the annotators' answers are normalised too, which changes a score
    only where one of them has capitals or ends in a full stop.
    """
    return answer.lower().removesuffix(".")


def vqa_accuracy(prediction: str, answers: Sequence[str]) -> float:
    """Returns the mean of min(1, matches / 3) over the sets of answers with one left out, in 0..1.

    Prediction and answers are normalised with `normalise_officially`. Raises ValueError without answers.
    """
    return _leave_one_out(prediction, answers, normalise_officially)


def vqa_accuracy_as_reference(prediction: str, answers: Sequence[str]) -> float:
    """Like `vqa_accuracy`, but with `normalise_as_reference`, as CropVLM's reference code computes it."""
    return _leave_one_out(prediction, answers, normalise_as_reference)


def _leave_one_out(prediction: str, answers: Sequence[str], normalise: Callable[[str], str]) -> float:
    """Returns the mean over the leave-one-out sets. Fewer than ten answers are repeated until there are ten.

    Without the repeats, a prediction that equals a single answer could never reach three matches.
    """
    if not answers:
        raise ValueError("a question without answers cannot be scored; leave its row out of the manifest")
    found = normalise(prediction)
    same = [normalise(answer) == found for answer in answers]
    count = max(ANNOTATORS, len(same))
    matches = [same[i % len(same)] for i in range(count)]
    return sum(min(1.0, (sum(matches) - left_out) / 3) for left_out in matches) / count


def _without_punctuation(text: str) -> str:
    """Removes the punctuation marks of a text, or replaces them by a space, as the published evaluation does.

    A mark that stands beside a space somewhere in the text is removed, any other mark is replaced by a space. In a text
    with a comma between digits, as in 1,000, every mark is removed.
    """
    stripped, has_number = text, _NUMBER_WITH_COMMA.search(text) is not None
    for mark in PUNCTUATION:
        vanishes = has_number or f"{mark} " in text or f" {mark}" in text
        stripped = stripped.replace(mark, "" if vanishes else " ")
    return _POINT_OF_NO_NUMBER.sub("", stripped)
