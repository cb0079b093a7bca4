import math
from random import Random

import pytest

from cropvlm_trainer.boxes import around, expanded, grow, growth_factors, to_box, widened
from cropvlm_trainer.metrics.exact_and_iou import area, contains


def test_a_box_grows_about_its_centre_and_keeps_its_shape():
    assert grow((40, 45, 60, 55), 4) == (30, 40, 70, 60)
    assert grow((40, 45, 60, 55), 1) == (40, 45, 60, 55)


def test_a_grown_box_is_shifted_back_inside_not_cut():
    assert grow((0, 40, 10, 50), 4) == (0, 35, 20, 55)
    assert grow((88, 92, 98, 100), 4) == (80, 84, 100, 100)
    corner = grow((1, 1, 3, 2), 45)
    assert corner[:2] == (0, 0)
    assert area(corner) == pytest.approx(45 * 2)


def test_a_side_is_at_most_as_long_as_the_image():
    assert grow((10, 48, 70, 52), 4) == (0, 46, 100, 54)
    assert grow((0, 0, 100, 100), 45) == (0, 0, 100, 100)


def test_every_grown_box_is_a_box_that_holds_the_old_one():
    for x1 in range(0, 100, 7):
        for width in (0.013, 3, 33.3, 100 - x1):
            box = (x1, x1 / 2, min(x1 + width, 100), x1 / 2 + width / 3)
            for factor in (1, 2, 4, 10, 45):
                grown = grow(box, factor)
                assert contains((0, 0, 100, 100), grown), (box, factor)
                slack = 1e-9
                assert grown[0] <= box[0] + slack and grown[2] >= box[2] - slack
                assert grown[1] <= box[1] + slack and grown[3] >= box[3] - slack


def test_factors_go_by_percentile_of_the_set_whatever_its_order():
    assert growth_factors(list(range(1, 11))) == [45, 45, 10, 10, 4, 4, 2, 2, 1, 1]
    assert growth_factors([9, 1, 5, 3, 7]) == [1, 45, 4, 10, 2]


def test_a_box_at_a_percentile_is_of_the_band_above():
    # Six areas from 0 to 5: the percentiles are 1, 2, 3 and 4 themselves.
    assert growth_factors([0, 1, 2, 3, 4, 5]) == [45, 10, 4, 2, 1, 1]
    assert growth_factors([2, 2, 2]) == [1, 1, 1]


@pytest.mark.parametrize("factor", [0, -1, math.inf, math.nan])
def test_a_factor_is_a_positive_number(factor):
    with pytest.raises(ValueError, match="positive factor"):
        grow((1, 1, 2, 2), factor)


@pytest.mark.parametrize("box", [(1, 1, 1, 2), (1, 1, 2), (-1, 0, 5, 5), (0, 0, 101, 5), (0, 0, math.nan, 5), "box"])
def test_what_is_no_box_does_not_grow(box):
    with pytest.raises(ValueError, match="is no box"):
        grow(box, 2)


def test_percentiles_of_nothing_are_an_error():
    with pytest.raises(ValueError, match="empty set"):
        growth_factors([])


def test_expansion_multiplies_the_area_about_the_centre():
    assert expanded((40, 40, 60, 50), 4) == pytest.approx((30, 35, 70, 55))
    assert expanded((40, 40, 60, 50), 0.25) == pytest.approx((45, 42.5, 55, 47.5))
    assert expanded((0, 0, 20, 10), 4) == pytest.approx((0, 0, 30, 15)), "cut off, not shifted"
    assert expanded((3, 4, 5, 6), 1) == (3, 4, 5, 6)
    for factor in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="factors above 0"):
            expanded((40, 40, 60, 50), factor)


def test_noise_widens_by_at_most_a_cell_and_stays_inside():
    drawn = [widened((20, 40, 60, 80), 5, Random(seed)) for seed in range(200)]
    for x1, y1, x2, y2 in drawn:
        assert 0 <= x1 <= 20 and 20 <= y1 <= 40 and 60 <= x2 <= 80 and 80 <= y2 <= 100
    assert max(box[2] for box in drawn) > 78 and min(box[2] for box in drawn) < 62
    assert widened((0, 0, 100, 100), 5, Random(1)) == (0, 0, 100, 100)


def test_a_region_is_rounded_outwards_to_read_and_truncated_to_teach():
    assert around((1.2, 0.0, 40.1, 99.9)) == (1, 0, 41, 100)
    assert around((100.0, 99.5, 100.0, 100.0)) == (99, 99, 100, 100)
    assert to_box((1.2, 0.0, 40.1, 99.9)) == (1, 0, 40, 99)
