import pytest

from cropvlm_trainer.metrics.exact_and_iou import box_measures, exact_match, iou, recall


def test_boxes_by_hand():
    assert iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert recall((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(0.5)
    assert iou((0, 0, 1, 1), (2, 2, 3, 3)) == 0


def test_a_missing_box_counts_as_the_whole_image():
    scores = box_measures([None, (0, 0, 50, 50)], [(0, 0, 50, 50), (0, 0, 50, 100)])
    assert scores == {"iou": 0.375, "recall": 0.75, "full_recall": 0.5, "size": 0.625, "valid": 0.5}


def test_exact_match_forgives_case_and_one_full_stop():
    assert exact_match(" Dakota digital.", ["dakota Digital"])
    assert not exact_match("12.5", ["12.50"])
    assert not exact_match("12..", ["12"])


def test_exact_match_forgives_repeated_spaces():
    assert exact_match("dakota \t digital .", ["Dakota Digital"])
    assert not exact_match("dakotadigital", ["dakota digital"])
