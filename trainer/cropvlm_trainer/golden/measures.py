"""Goldens of the measures and of how a box grows, which `npm run eval` and the service's `expand` compute too."""

from collections.abc import Iterator, Sequence

from cropvlm_trainer.boxes import around, expanded
from cropvlm_trainer.metrics.anls import anls
from cropvlm_trainer.metrics.choices import is_refusal
from cropvlm_trainer.metrics.exact_and_iou import area, contains, exact_match, iou, normalised, recall
from cropvlm_trainer.metrics.vqa import (
    CONTRACTIONS,
    NUMBERS,
    PUNCTUATION,
    normalise_as_reference,
    normalise_officially,
    vqa_accuracy,
    vqa_accuracy_as_reference,
)

MADE_BY = (
    "cropvlm_trainer.metrics and cropvlm_trainer.boxes. `texts`: an answer and its three normal forms. `answers`: a "
    "prediction, the right answers and the scores; vqa_accuracy is null where there are no answers, which is an error. "
    "`boxes`: per cent. `growth`: the box with `factor` times its area, cut off at the image's edges, then the whole "
    "per cents around it. `refusals`: whether an answer says that it is none. Numbers are rounded to 12 digits."
)

REFUSALS = [
    "",
    "42",
    "Sorry, I can't tell.",
    "Sorry, I can’t tell.",
    "unanswerable",
    "Unknown Pleasures",
    "the unknowns",
    "I cannot read it",
    "I can not read it",
    "It could not be read",
    "the sign is not clearly visible",
    "the sign is not at all easily visible",
    "It isn't shown",
    "The text does not appear",
    "There is no text",
    "there are no cars",
    "therefore no",
    "no phone number is shown",
    "no such text in this picture",
    "no entry",
    "not sure",
    "not for sale",
    "unable to say",
    "cannoté",
    "é cannot",
    "Canned beans",
]
"""Answers that refuse, and answers that look like it."""

TEXTS = [
    "",
    " ",
    ".",
    "..",
    "the",
    "The.",
    "a an the",
    "An apple a day",
    "Theatre another aardvark",
    "two  spaces",
    "  around  and   between  ",
    "tab\there",
    "line\nbreak",
    "carriage\r\nreturn",
    "non\u00a0breaking\u3000spaces",
    "control\u001c\u001d\u001e\u001f\u0085separators",
    "byte\ufeffmark",
    "zero\u200bwidth",
    "1,000",
    "1,000.50",
    "1,000 red, blue; green",
    "1, 000",
    "3.5",
    "3.5.",
    ".5",
    "5.",
    "v1.2.3",
    "$12.50",
    "12:30",
    "50%",
    "3-4",
    "red/blue",
    "red / blue",
    "what?!",
    "wh?at",
    "e-mail",
    "user@example.com",
    "(left)",
    "[1] {2} <3>",
    'say "cheese"',
    "back\\slash and under_score",
    "St. Louis",
    "U.S.A.",
    "joe's",
    "'quoted'",
    "rock 'n' roll",
    "\u2019twas it\u2019s",
    "\u0661,\u0662 \u0663.\u0664",
    "\uff11,\uff12",
    "ÉTÉ",
    "STRASSE Straße GROẞ",
    "İstanbul IĞDIR",
    "ΟΔΟΣ ΣΑΣ Σ",
    "ﬁne",
    "e\u0301cole école",
    "日本語。",
    "🙂🙃",
    "👩🏽‍🚀.",
    "TEN none Zero",
    "twenty one",
    "one,two",
    "onetwo",
    "its well were shell hell id",
    "it's we'll we're",
    "DONT Dont dOnT",
    "dont, cant; wont.",
    "don't've",
    "answer .",
    "answer. .",
    "answer..",
    "Answer.",
    " Answer. ",
]

PAIRS = [
    ("red", "red"),
    ("red", "Red."),
    (" red ", "red"),
    ("red  car", "red car"),
    ("the red car", "red car"),
    ("red\tcar", "red car"),
    ("2", "two"),
    ("12.50", "$12.50"),
    ("1,000", "1000"),
    ("dont know", "don't know"),
    ("how'll", "howll"),
    ("idve", "i'd've"),
    ("", ""),
    ("", "."),
    ("", "the"),
    ("the", "a"),
    (".", "."),
    ("é", "e\u0301"),
    ("🙂", "🙂🙂"),
    ("🙂🙂", "🙂"),
    ("a\u3000b", "a b"),
    ("abc", ""),
    ("İ", "i"),
    ("ß", "ss"),
]

LONGEST = 12
BOXES = [
    ("identical", (10, 10, 60, 60), (10, 10, 60, 60)),
    ("inside", (10, 10, 60, 60), (20, 20, 30, 30)),
    ("around", (20, 20, 30, 30), (10, 10, 60, 60)),
    ("overlapping", (0, 0, 50, 50), (25, 25, 75, 75)),
    ("touching sides", (0, 0, 10, 10), (10, 0, 20, 10)),
    ("touching corners", (0, 0, 10, 10), (10, 10, 20, 20)),
    ("disjoint", (0, 0, 10, 10), (20, 20, 30, 30)),
    ("a shared column", (0, 0, 30, 10), (0, 50, 30, 60)),
    ("crossing", (0, 40, 100, 60), (40, 0, 60, 100)),
    ("one per cent", (0, 0, 1, 1), (0, 0, 100, 100)),
    ("the whole image", (0, 0, 100, 100), (33, 44, 55, 66)),
    ("one side over", (10, 10, 59, 60), (10, 10, 60, 60)),
    ("fractions", (10.25, 0, 33.4, 99.9), (10, 0.1, 33.3, 100)),
    ("far corner", (99, 99, 100, 100), (99, 99, 100, 100)),
]
FACTORS = (1, 1.0001, 1.21, 1.44, 1.5, 2, 2.25, 3, 4, 9, 10, 16, 45, 100, 1e4, 1e6)
GROWN = [
    (40, 40, 60, 60),
    (40, 45, 60, 55),
    (0, 0, 100, 100),
    (0, 0, 1, 1),
    (99, 99, 100, 100),
    (0, 99, 1, 100),
    (0, 10, 20, 30),
    (80, 10, 100, 30),
    (1, 1, 99, 99),
    (49, 0, 51, 100),
    (33, 7, 34, 93),
    (10, 20, 31, 47),
    (12, 5, 80, 47),
]


def measures() -> dict:
    return {"made_by": MADE_BY, "cases": [*_texts(), *_answers(), *_boxes(), *_growth(), *_refusals()]}


def _texts() -> Iterator[dict]:
    for text in (*TEXTS, *_contractions(), *_numbers(), *_punctuation()):
        forms = {"official": normalise_officially(text), "reference": normalise_as_reference(text)}
        yield {"kind": "texts", "text": text} | forms | {"plain": normalised(text)}


def _contractions() -> Iterator[str]:
    """Every contraction with all of its apostrophes and with fewer, alone and between words."""
    yield from CONTRACTIONS
    for right in dict.fromkeys(CONTRACTIONS.values()):
        yield f"Well {right.upper()}, the {right}"


def _numbers() -> Iterator[str]:
    for word in NUMBERS:
        yield f"{word} {word.capitalize()}s"


def _punctuation() -> Iterator[str]:
    for mark in (*PUNCTUATION, ".", ":", "'", "&", "%", "$", "\u2019", "\u3002"):
        yield from (f"a1{mark}b2", f"x{mark} y{mark}z", f" {mark}x", f"1{mark}2", f"1,2 x{mark}y")


def _answers() -> Iterator[dict]:
    for prediction, answer in PAIRS:
        yield _scored(prediction, [answer])
        yield _scored(answer, [prediction])
    yield _scored("red", [])
    # Of each number of answers, each number that the prediction matches.
    for count in range(1, LONGEST + 1):
        for matches in range(count + 1):
            yield _scored("red", ["Red."] * matches + [f"other {i}" for i in range(count - matches)])
    # Edits up to and over half of the longer text: the threshold of ANLS is a distance of 0.5.
    for length in range(1, LONGEST + 1):
        text = "abcdefghijkl"[:length]
        for edits in range(length // 2 - 1, length // 2 + 2):
            if 0 <= edits <= length:
                yield _scored(text[: length - edits], [text])
                yield _scored(text[: length - edits] + "z" * edits, [text])
                yield _scored("z" * edits + text, [text, "z" * (length + edits)])
    yield _scored("kitten", ["sitting", "mitten", "KITTENS."])


def _scored(prediction: str, answers: Sequence[str]) -> dict:
    return {
        "kind": "answers",
        "prediction": prediction,
        "answers": list(answers),
        "exact_match": float(exact_match(prediction, answers)),
        "vqa_accuracy": _rounded(vqa_accuracy(prediction, answers)) if answers else None,
        "vqa_accuracy_as_reference": _rounded(vqa_accuracy_as_reference(prediction, answers)) if answers else None,
        "anls": _rounded(anls(prediction, answers)),
    }


def _boxes() -> Iterator[dict]:
    for name, predicted, true in BOXES:
        for a, b in ((predicted, true), (true, predicted)):
            scores = {
                "iou": _rounded(iou(a, b)),
                "recall": _rounded(recall(a, b)),
                "full_recall": float(contains(a, b)),
            }
            boxes = {"name": name, "predicted": list(a), "true": list(b)}
            yield {"kind": "boxes"} | boxes | scores | {"size": _rounded(area(a) / 10_000)}


def _growth() -> Iterator[dict]:
    for box in GROWN:
        for factor in FACTORS:
            grown = expanded(box, factor)
            case = {"kind": "growth", "box": list(box), "factor": factor}
            yield case | {"expanded": [_rounded(side) for side in grown], "whole": list(around(grown))}


def _refusals() -> Iterator[dict]:
    for answer in REFUSALS:
        for text in (answer, answer.upper(), f"  {answer} The rest.", f"x{answer}"):
            yield {"kind": "refusals", "answer": text, "is_refusal": is_refusal(text)}


def _rounded(value: float) -> float:
    return round(float(value), 12)
