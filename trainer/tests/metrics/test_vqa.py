import pytest

from cropvlm_trainer.metrics.vqa import (
    normalise_as_reference,
    normalise_officially,
    vqa_accuracy,
    vqa_accuracy_as_reference,
)


@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        # The cases of test/evaluation/normalise.test.ts, on which service and trainer must agree.
        ("Dakota DIGITAL", "dakota digital"),
        ("the cat and a dog, an ant", "cat and dog ant"),
        ("ten of none", "10 of 0"),
        ("dont couldve thats isn't", "don't could've that's isn't"),
        ("well were its", "well were its"),
        ("red, blue", "red blue"),
        ("black/white", "black white"),
        ("1,000", "1000"),
        ("3.5", "3.5"),
        ("St. Louis.", "st louis"),
        ("joe's 10:30", "joe's 10:30"),
        ("  two \n\t lines ", "2 lines"),
        ("the.", ""),
        # Further cases.
        ("$1,234.50-ish (net)", "$1234.50ish net"),
        ("couldnt've y'alll id've", "couldn't've y'alll i'd've"),
        ("THEYLL be at 5 Oclock", "they'll be at 5 o'clock"),
        ("shed hell wed id ill", "shed hell wed id ill"),
    ],
)
def test_the_official_normalisation_rule_by_rule(answer, normal):
    assert normalise_officially(answer) == normal


def test_the_reference_code_normalises_next_to_nothing():
    assert normalise_as_reference("The End..") == "the end."
    assert normalise_as_reference(" Yes. ") == " yes. "
    assert vqa_accuracy_as_reference("Red.", ["red"] * 10) == 1
    assert vqa_accuracy_as_reference("the red", ["red"] * 10) == 0
    assert vqa_accuracy("the red", ["red"] * 10) == 1


@pytest.mark.parametrize(
    ("reds", "accuracy"),
    # With one match of ten, the set without it scores 0 and the nine others 1/3; and so on.
    [(0, 0), (1, 0.3), (2, (2 * 1 + 8 * 2) / 30), (3, (3 * 2 + 7 * 3) / 30), (4, 1), (10, 1)],
)
def test_vqa_accuracy_over_the_ten_leave_one_out_sets(reds, accuracy):
    assert vqa_accuracy("Red", ["red"] * reds + ["blue"] * (10 - reds)) == pytest.approx(accuracy)


def test_vqa_accuracy_of_data_with_other_numbers_of_answers():
    assert vqa_accuracy("42", ["42"]) == 1
    assert vqa_accuracy("41", ["42"]) == 0
    assert vqa_accuracy("a1", ["a1", "b", "c", "d", "e"]) == pytest.approx(0.6), "each answer counts twice"
    assert vqa_accuracy("x", ["x"] * 2 + ["y"] * 10) == pytest.approx((2 * 1 + 10 * 2) / 36), "twelve sets"
    with pytest.raises(ValueError, match="without answers"):
        vqa_accuracy("42", [])
