import pytest

from cropvlm_trainer.evaluation.scores import choice_counts, own_measures

TEXT = {
    "image": "a.png",
    "kind": "page",
    "question": "What?",
    "answers": ["red"] * 3 + ["blue"] * 7,
    "source": "textvqa",
}


DOC = {"image": "b.png", "kind": "page", "question": "How much?", "answers": ["12.50"], "source": "DocVQA"}


CHOICE = {"image": "c.png", "kind": "page", "question": "Where?", "answers": ["B"], "source": "V*"}


CHOICE["options"] = ["on the left", "on the right"]


PAGE = {"image": "d.png", "kind": "receipt", "question": "Total?", "answers": ["3"], "box": [10, 10, 30, 20]}


def test_own_measures_and_their_average():
    scores = own_measures([TEXT, DOC, CHOICE, PAGE], ["Red.", "12.5", "right", "4"])
    assert scores == {
        "DocVQA": pytest.approx(0.8),
        "V*": 1,
        "no source": 0,
        "textvqa": pytest.approx(0.9),
        "average": pytest.approx(2.7 / 4),
    }


def test_choices_are_counted_by_outcome():
    answers = ["B", "left", "I cannot see it", "perhaps", None]
    counts = choice_counts([CHOICE] * 5, answers)
    assert counts == {"right": 1, "wrong": 1, "refused": 1, "unparseable": 1, "failed": 1}
    assert choice_counts([PAGE], ["3"]) == {}
