import pytest

from cropvlm_trainer.data.columns import MAX_ANSWER, Columns, Raw, Rejection, answers_of, box_of, question_of


def raw(question="What?", answers=("a",), box=None):
    return Raw("docvqa", 0, question, answers, b"", box=box)


def reason(check, row):
    with pytest.raises(Rejection) as rejection:
        check(row)
    return rejection.value.reason


def test_questions_are_stripped_and_must_be_there():
    assert question_of(raw("  What is IT?\n")) == "What is IT?"
    assert {reason(question_of, raw(question)) for question in (None, "", " \n", 3)} == {"no question"}


def test_answers_keep_order_repeats_and_blanks():
    assert answers_of(raw(answers=["b", "a", "", "b "])) == ["b", "a", "", "b "]
    assert answers_of(raw(answers="one")) == ["one"]
    assert {reason(answers_of, raw(answers=answers)) for answers in (None, [], "", ["", " "])} == {"no answers"}
    assert {reason(answers_of, raw(answers=answers)) for answers in ([1], ["a", None], 7)} == {"answers are not text"}


def test_an_answer_has_a_limit():
    assert answers_of(raw(answers=["a" * MAX_ANSWER])) == ["a" * MAX_ANSWER]
    with pytest.raises(Rejection, match="an answer has 20000 characters, more than 1000; shorten it") as rejection:
        answers_of(raw(answers=["a", "b" * 20_000]))
    assert rejection.value.reason == "answer too long"


def test_a_box_is_in_per_cent_or_not_at_all():
    assert box_of(raw()) is None
    assert box_of(raw(box=[1, 2.5, 3, 100])) == [1, 2.5, 3, 100]
    assert reason(box_of, raw(box=[10, 20, 300, 400])) == "invalid box"


def test_a_set_without_question_numbers_needs_three_columns():
    assert Columns("answer").needed() == ["image", "question", "answer"]
    assert Columns(source_id="questionId").needed() == ["image", "question", "answers", "questionId"]
