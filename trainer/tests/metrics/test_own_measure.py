"""Each data set's own measure, as evaluations and rewards take it."""

import pytest
from support.scored_rows import CHOICE, DOC, PAGE, TEXT

from cropvlm_trainer.metrics.own_measure import asked_question, measure_of, options_of, row_score


def test_each_dataset_has_its_measure():
    names = {
        "vqa_accuracy": ["textvqa", "TextVQA validation"],
        "anls": ["docvqa", "infographicvqa", "InfoVQA", "stvqa", "ST-VQA"],
        "multiple_choice": ["vstar", "V*", "hrbench", "HR-Bench 4k"],
        "exact_match": ["synth", "synthetic", "jsonl", None],
    }
    for measure, sources in names.items():
        assert {measure_of({"source": source}) for source in sources} == {measure}


def test_the_target_is_asked_with_the_options():
    assert asked_question(TEXT) == "What?"
    assert asked_question(CHOICE) == "Where?\n(A) on the left\n(B) on the right"
    listed = {**CHOICE, "question": "Where?\n(A) here\n(B) there", "options": None}
    assert (asked_question(listed), options_of(listed)) == (listed["question"], ["here", "there"])


@pytest.mark.parametrize(("row", "answer"), [(TEXT, "Red."), (DOC, "12.5"), (CHOICE, "(B)"), (PAGE, "3.")])
def test_an_answer_is_scored_by_the_rows_own_measure(row, answer):
    wanted = {"textvqa": 0.9, "DocVQA": 0.8, "V*": 1.0, None: 1.0}[row.get("source")]
    assert row_score(row, answer, measure_of(row)) == pytest.approx(wanted)
    assert row_score(row, None, measure_of(row)) == 0
