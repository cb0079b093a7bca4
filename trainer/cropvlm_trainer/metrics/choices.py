"""Multiple choice with free answers (V*, HR-Bench): which option an answer means, or that it refuses to choose.

V* and HR-Bench are scored by accuracy over all questions. The paper also counts refusals (section 4.2.2, footnote).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_uppercase

OUTCOMES = ("right", "wrong", "refused", "unparseable")

# A whole answer may be a letter, as "b", "(b)" or "B.", or begin with one, as in "B. the car" or "B: the car".
# In "A red car" the A is the article.
_LETTER_ALONE = re.compile(r"\(?([A-Za-z])\)?[.:]?")
_LETTER_FIRST = re.compile(r"([A-Za-z])[.:]\s")
_LETTER_NAMED = re.compile(
    r"\b(?i:answer(?:\s+is)?|option|choice)\s*:?\s*\(?(?:([B-Z])\b(?!')|([A-Za-z])(?=\s*(?:[).:,;]|$)))"
)
_LETTER_BRACKETED = re.compile(r"(?<![A-Za-z'])\(?([A-Za-z])\)")
_LISTED = re.compile(r"^\s*\(?([A-Z])[).:]\s*(.+?)\s*$", re.MULTILINE)
_REFUSAL = re.compile(
    r"\b(?:sorry|unanswerable|unknown|unclear|unable|cannot|can't|can not|could not|couldn't"
    r"|(?:is|are|was|does|do)(?: not|n't) (?:\w+ ){0,2}?"
    r"(?:visible|shown|present|seen|appear|clear|contain|show|see|enough)"
    r"|not (?:visible|shown|present|clear|enough|sure|possible|able)|there (?:is|are) no"
    r"|no \w+(?: \w+){0,6} (?:visible|shown|present|in (?:the|this) (?:image|picture|photo)))\b",
    # The service's pattern is the same. JavaScript's \w and \b are ASCII's, too.
    re.IGNORECASE | re.ASCII,
)


def is_refusal(answer: str) -> bool:
    """Returns whether an answer says that it is none, in the words that VLMs use for that."""
    return _REFUSAL.search(answer.replace("’", "'")) is not None


def letter_of(index: int) -> str:
    """Returns the letter of an option; the first option, index 0, has `A`."""
    return ascii_uppercase[index]


def listed_options(question: str) -> list[str]:
    """Returns the options that a question lists itself, one on each line, as `(A) red`, `A. red` or `A: red`.

    Empty where it lists none, only one, or letters that do not count up from A.
    """
    found = _LISTED.findall(question)
    in_order = [letter for letter, _ in found] == list(ascii_uppercase[: len(found)])
    return [text for _, text in found] if in_order and len(found) > 1 else []


def right_option(answers: Sequence[str], options: Sequence[str]) -> int:
    """Returns the index of the option that a row's answers name, by its letter or its text.

    Raises ValueError where the answers name none of them, or several.
    """
    letters = {letter_of(i): i for i in range(len(options))}
    texts = {_plain(option): i for i, option in enumerate(options)}
    named = {letters.get(answer.strip(), texts.get(_plain(answer))) for answer in answers}
    if len(named) != 1 or None in named:
        raise ValueError(
            f"the answers {list(answers)} must name one of the options {list(options)}; give its letter or its text"
        )
    return named.pop()


def outcome(answer: str, options: Sequence[str], right: int) -> str:
    """Returns one of `OUTCOMES` for an answer to a question whose right option has the index `right`.

    A letter, or an answer that is the whole text of an option, is a choice. Otherwise an answer that refuses is
    "refused", even where it mentions an option. Last, an option may stand somewhere in the answer. An answer that could
    mean several options is "unparseable".
    """
    chosen = _by_letter(answer, len(options))
    if chosen is None:
        chosen = _by_whole_text(answer, options)
    if chosen is None and is_refusal(answer):
        return "refused"
    if chosen is None:
        chosen = _by_part(answer, options)
    if chosen is None:
        return "unparseable"
    return "right" if chosen == right else "wrong"


def _by_letter(answer: str, count: int) -> int | None:
    text = answer.strip()
    if alone := _LETTER_ALONE.fullmatch(text):
        return _index(alone[1], count)
    # Of several letters the last counts: "option A looks likely, but the answer is B".
    if named := _LETTER_NAMED.findall(text):
        return _index("".join(named[-1]), count)
    bracketed = {letter.upper() for letter in _LETTER_BRACKETED.findall(text)}
    if bracketed:
        return _index(bracketed.pop(), count) if len(bracketed) == 1 else None
    first = _LETTER_FIRST.match(text)
    return _index(first[1], count) if first else None


def _index(letter: str, count: int) -> int | None:
    index = ascii_uppercase.index(letter.upper())
    return index if index < count else None


def _by_whole_text(answer: str, options: Sequence[str]) -> int | None:
    return _only([i for i, option in enumerate(options) if _plain(option) == _plain(answer)])


def _by_part(answer: str, options: Sequence[str]) -> int | None:
    """Returns the only option whose words are in the answer, or else the only one whose words include the answer."""
    said = f" {_plain(answer)} "
    plain = [_plain(option) for option in options]
    inside = [i for i, option in enumerate(plain) if option and f" {option} " in said]
    # An answer with "dark red" also contains the option "red", but means the longer one.
    longest = [i for i in inside if not any(i != j and f" {plain[i]} " in f" {plain[j]} " for j in inside)]
    if longest:
        return _only(longest)
    return _only([i for i, option in enumerate(plain) if said.strip() and said in f" {option} "])


def _only(found: Sequence[int]) -> int | None:
    return found[0] if len(found) == 1 else None


def _plain(text: str) -> str:
    """Returns the words in lower case, without articles and punctuation.

    Apostrophes, hyphens and the points inside numbers stay. Articles stay where there is nothing else.
    """
    words = re.sub(r"[^\w\s.'-]|[.](?!\d)", " ", text.lower()).split()
    return " ".join(word for word in words if word not in ("a", "an", "the")) or " ".join(words)
