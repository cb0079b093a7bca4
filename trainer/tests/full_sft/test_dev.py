"""What counts as a hit on the pages kept apart."""

from __future__ import annotations

import pytest

from cropvlm_trainer.full_sft.dev import coverage


def test_a_box_that_holds_nine_tenths_of_the_line_is_a_hit():
    row = {"box": [0, 0, 50, 50], "seed": {"line": [10.0, 10.0, 20.0, 12.0]}}
    boxes = [(10, 9, 19, 12), (11, 9, 20, 12), (12, 9, 20, 13), None]
    scores = coverage([row] * 4, boxes)
    assert scores["dev_hit"] == 0.5
    assert scores["dev_none"] == 1
    assert scores["dev_size"] == pytest.approx((0.27 + 0.27 + 0.32 + 100) / 4)
    assert coverage([{"box": [0, 0, 10, 10]}], [(0, 0, 9, 10)])["dev_hit"] == 1
