import pytest

from cropvlm_trainer.metrics.anls import anls, edit_distance


@pytest.mark.parametrize(
    ("prediction", "answers", "score"),
    [
        ("12.50", ["12.50"], 1),
        ("12.5", ["12.50"], 0.8),
        ("abxy", ["abcd"], 0),
        ("kitten", ["sitting"], 1 - 3 / 7),
        ("Dakota", ["nothing", "DAKOTAS"], 1 - 1 / 7),
        ("42.", ["42"], 1),
        ("two  words", [" Two words"], 1),
        ("", ["abc"], 0),
        ("", [""], 1),
        ("ñ🙂", ["ñ🙂"], 1),
    ],
)
def test_anls_at_one_half(prediction, answers, score):
    assert anls(prediction, answers) == pytest.approx(score)


def test_edit_distance():
    assert edit_distance("intention", "execution") == 5
    assert (edit_distance("", "abc"), edit_distance("abc", ""), edit_distance("same", "same")) == (3, 3, 0)
