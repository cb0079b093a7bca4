"""Whether and how well an answer stands in a longer text, as what an OCR reads in a crop."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from math import inf

from cropvlm_trainer.metrics.anls import THRESHOLD

MIN_SHARED = 4
"""The fewest letters and digits that say something where they stand within other words."""

_AMOUNT = re.compile(r"[^\d\-]{0,4}\s?(\d[\d,]*(?:\.\d+)?)\s?[^\d\s]{0,3}")
_CODE = re.compile(r"[^\W\d_]\d+(?![\d.,])|(?<![\d.,])\d+[^\W\d_]")
_WORDS = re.compile(r"[^\W_]+")
_GLUED = re.compile(r"(?<=[^\W\d_])\d[\d,]*\.\d\d(?![\w,]?\d)")
"""An amount behind a currency or a word without a space, as OCRs read them."""
_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\s?\d+)?(?![\w,]?\d)")


def contains(text: str, answers: Sequence[str]) -> bool:
    """Whether one of the answers stands in the text. Case, spaces and punctuation do not count.

    An amount stands there as a whole number, however its thousands are separated and whatever currency is beside it:
    `9.00` is in `RM9.00` and not in `19.00`. Of other answers, those of under `MIN_SHARED` letters have to be whole
    words: `A12` is in `A 12` and not in `12`.
    """
    return any(_similarity(text, answer) == 1 for answer in answers)


def contains_anls(text: str, answers: Sequence[str]) -> float:
    """Like `contains`, but graded, in 0..1: how similar the part of the text is that is most like one of the answers.

    The similarity is 1 - NL as in `anls`, 0 where NL is `THRESHOLD` or more, but NL is the edit distance divided by the
    answer's length, and digits have to be the same: an amount with a wrong digit is a wrong amount, and a page of
    amounts has one that is nearly right for any answer. Amounts, and answers of under `MIN_SHARED` letters, are there
    or not.
    """
    return max((_similarity(text, answer) for answer in answers), default=0.0)


def amount(answer: str) -> str | None:
    """Returns the number that the answer is, a currency's sign or name before or behind it aside; else None.

    A whole number with letters right beside it is a code of these letters and digits (`INV001`, `A12`), no amount.
    """
    match = _AMOUNT.fullmatch(answer.strip())
    return _value(match[1]) if match and not _CODE.search(answer) else None


def amounts(text: str) -> set[str]:
    """Returns the numbers that stand in a text, in the form of `amount`."""
    return set(map(_value, (*_NUMBER.findall(text), *_GLUED.findall(text))))


def shows_amount(answer: str, number: str, text: str) -> bool:
    """Whether the number that the answer is (`amount`) stands in the text, or the answer itself, as `RM 5` in `RM5`."""
    letters = "".join(words_of(answer))
    return number in amounts(text) or (not letters.isdigit() and has_words(letters, words_of(text)))


def words_of(text: str) -> list[str]:
    return _WORDS.findall(text.casefold())


def has_words(letters: str, text: Sequence[str]) -> bool:
    """Whether some of the text's words, one after another, are these letters together."""
    for start in range(len(text)):
        joined = ""
        for word in text[start:]:
            joined += word
            if joined == letters:
                return True
            if not letters.startswith(joined):
                break
    return False


def holds(letters: str, text: str) -> bool:
    """Whether the text holds these letters, and no digit beside them goes on with a number at their ends."""
    left, right = (r"(?<!\d)" if letters[0].isdigit() else ""), (r"(?!\d)" if letters[-1].isdigit() else "")
    return re.search(left + re.escape(letters) + right, text) is not None


def _similarity(text: str, answer: str) -> float:
    number = amount(answer)
    if number is not None:
        return float(shows_amount(answer, number, text))
    words, found = words_of(answer), words_of(text)
    letters, read = "".join(words), "".join(found)
    if not letters:
        return 0.0
    if has_words(letters, found) or (len(letters) >= MIN_SHARED and holds(letters, read)):
        return 1.0
    if len(letters) < MIN_SHARED:
        return 0.0
    distance = _distance_within(letters, found) / len(letters)
    return 1 - distance if distance < THRESHOLD else 0.0


def _distance_within(letters: str, words: Sequence[str]) -> float:
    """Returns the least edit distance of the letters to any part of the joined words (P. H. Sellers' algorithm).

    No digit is edited, and a part neither begins nor ends within a number. The distance is infinite where no such part
    has the same digits.
    """
    text = "".join(words)
    starts = {0, *accumulate(map(len, words))}
    free = [j in starts or not (text[j - 1].isdigit() and text[j].isdigit()) for j in range(len(text) + 1)]
    # row[j]: the distance of the letters so far to the best part of the text that ends at j.
    row: list[float] = [0 if is_free else inf for is_free in free]
    for letter in letters:
        gone = inf if letter.isdigit() else 1
        following = [row[0] + gone]
        for j, other in enumerate(text, start=1):
            added = inf if other.isdigit() else 1
            changed = 0 if letter == other else max(gone, added)
            following.append(min(row[j - 1] + changed, row[j] + gone, following[j - 1] + added))
        row = following
    return min(distance for distance, is_free in zip(row, free, strict=True) if is_free)


def _value(number: str) -> str:
    """Returns a number without what may be written differently: separators of thousands, and blanks of an OCR."""
    return re.sub(r"[,\s]", "", number)
