import pytest
from support.scored_rows import CHOICE, DOC, PAGE, TEXT

from cropvlm_trainer.evaluation.scores import choice_counts, own_measures


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
