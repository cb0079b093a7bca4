import pytest

from cropvlm_trainer.metrics.choices import listed_options, outcome, right_option

COLOURS = ["red", "dark red", "blue", "yellow"]
SIDES = ["The dog is on the left side of the cat.", "The dog is on the right side of the cat."]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("C", "right"),
        ("c.", "right"),
        ("(C)", "right"),
        ("C) blue", "right"),
        ("(c) Blue", "right"),
        ("A. red", "wrong"),
        ("The answer is C.", "right"),
        ("Answer: (c) blue", "right"),
        ("Option A looks likely, but the answer is C", "right"),
        ("Option B shows it", "wrong"),
        ("It is blue, so (C)", "right"),
        ("Blue.", "right"),
        ("The car is blue.", "right"),
        ("A blue car", "right"),
        ("A red car", "wrong"),
        ("The car is dark red", "wrong"),
        ("red or blue", "unparseable"),
        ("(A) or (C)", "unparseable"),
        ("a) red or c) blue", "unparseable"),
        ("A, C", "unparseable"),
        ("The blue car(s)", "right"),
        ("E", "unparseable"),
        ("green", "unparseable"),
        ("", "unparseable"),
        ("Sorry, I can't tell whether it is blue.", "refused"),
        ("There is no blue car in the image.", "refused"),
        ("The blue car does not appear in the image", "refused"),
        ("I don’t see a car.", "refused"),
        ("The car isn't visible.", "refused"),
        ("No blue car visible", "refused"),
    ],
)
def test_what_a_free_answer_chooses(answer, expected):
    assert outcome(answer, COLOURS, 2) == expected


def test_a_part_of_a_long_option_is_enough_where_it_stands_in_one_alone():
    assert outcome("Left", SIDES, 0) == "right"
    assert outcome("right side", SIDES, 0) == "wrong"
    assert outcome("side", SIDES, 0) == "unparseable"


def test_an_option_that_sounds_like_a_refusal_can_be_chosen():
    assert outcome("Not visible.", ["visible", "not visible"], 1) == "right"
    assert outcome("No", ["yes", "no"], 1) == "right"


def test_the_right_option_by_letter_or_text():
    assert right_option(["D"], COLOURS) == 3
    assert right_option(["Dark Red."], COLOURS) == 1
    assert right_option(["C", "blue"], COLOURS) == 2
    for answers in (["E"], ["green"], ["A", "B"]):
        with pytest.raises(ValueError, match="must name one of the options"):
            right_option(answers, COLOURS)


def test_options_that_the_question_lists():
    question = "What colour is it?\n(A) red\n(B) dark red\nAnswer with the option's letter."
    assert listed_options(question) == ["red", "dark red"]
    assert listed_options("A. red\nB: blue") == ["red", "blue"]
    assert listed_options("What colour is it?") == []
    assert listed_options("B. blue\nC. red") == [], "letters count from A"
