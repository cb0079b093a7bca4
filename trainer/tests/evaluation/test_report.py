import pytest
from support.scored_rows import CHOICE, DOC, PAGE, TEXT

from cropvlm_trainer.evaluation.report import held_out, markdown, score_table


def test_a_report_of_mixed_data_says_what_it_lacks():
    rows = [TEXT, DOC, CHOICE, PAGE]
    answers = {"full image": ["red", None, "A", "3."], "full image + cropper": ["blue", "12.50", "B", "3"]}
    report = held_out(rows, answers, [(0, 0, 50, 50), None, (0, 0, 50, 100), (10, 10, 30, 20)])
    assert report["exact_match"]["full image"] == {"all": 0.5, "page": pytest.approx(1 / 3), "receipt": 1}
    assert report["boxes"] == {"iou": 1, "recall": 1, "full_recall": 1, "size": 0.02, "valid": 1}
    assert report["cropper"] == {"no_valid_box": 1, "size": pytest.approx((0.25 + 1 + 0.5 + 0.02) / 4)}
    assert report["failed"] == {"full image": 1}
    assert report["measures"]["anls"]["full image + cropper"] == {"all": 1, "DocVQA": 1, "no source": 1, "textvqa": 1}
    assert report["measures"]["multiple_choice"]["full image"] == {"all": 0, "V*": 0}
    assert report["notes"] == [
        "3 of 4 rows have no box: no rows for true and random boxes; box measures are over the others",
        "the cropper gave no valid box for 1 of 4 questions, where the full image stands in",
        "answers that the target failed to give, and that count as wrong: 1 (full image)",
    ]
    tables = markdown(report, rows)
    assert "| full image + cropper | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 |" in tables
    assert "DocVQA ANLS, V* multiple choice, no source exact match, textvqa VQA accuracy." in tables
    assert "| full image | 0 | 1 | 0 | 0 | 0 |" in tables
    assert all(f"Note: {note}." in tables for note in report["notes"])


def test_the_table_is_in_per_cent():
    rows = score_table({"full image": {"all": 0.125, "receipt": 1.0}}).splitlines()
    assert rows == ["| exact match, % | all | receipt |", "|---|---|---|", "| full image | 12.5 | 100.0 |"]
