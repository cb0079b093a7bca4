"""From a map of attention to a box."""

import numpy as np
import pytest

from cropvlm_trainer.attention.box import attention_box, base_side


def spot(rows: int, columns: int, top: int, left: int, height: int = 1, width: int = 1) -> np.ndarray:
    cells = np.zeros((rows, columns))
    cells[top : top + height, left : left + width] = 1
    return cells


def test_the_box_stands_about_the_attention() -> None:
    # 10 x 10 cells of 10 pixels; the base has 2 x 2 cells, and the spot fills it
    assert attention_box(spot(10, 10, 4, 6, 2, 2), 100, 100, 20) == (60, 40, 80, 60)


def test_the_size_that_stands_out_most_is_taken() -> None:
    # windows have 2, 2, 2, 3, 3 and 4 cells a side: the spot of 3 x 3 stands out most in the first of its own size
    x1, y1, x2, y2 = attention_box(spot(12, 12, 3, 5, 3, 3), 120, 120, 20)
    assert (x2 - x1, y2 - y1) == pytest.approx((32 / 1.2, 32 / 1.2))
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((65 / 1.2, 45 / 1.2))


def test_boxes_are_shifted_into_the_image() -> None:
    assert attention_box(spot(10, 10, 0, 9), 100, 100, 30)[2] == 100
    assert attention_box(spot(10, 10, 0, 9), 100, 100, 30)[1] == 0


def test_sides_are_in_pixels_of_the_image() -> None:
    """Cells are 20 x 5 pixels here: a square of pixels is no square of per cents."""
    x1, y1, x2, y2 = attention_box(spot(8, 8, 4, 4), 160, 40, 10)
    assert ((x2 - x1) * 1.6, (y2 - y1) * 0.4) == pytest.approx((10, 10))


def test_a_window_over_the_whole_map_is_the_whole_image() -> None:
    assert attention_box(spot(4, 4, 1, 1), 100, 100, 100) == (0, 0, 100, 100)
    assert attention_box(spot(1, 1, 0, 0), 100, 100, 10) == (0, 0, 100, 100)


def test_larger_windows_over_the_whole_map_are_left_out() -> None:
    x1, _, x2, _ = attention_box(spot(4, 4, 1, 1), 100, 100, 60)
    assert x2 - x1 < 100


def test_one_side_may_be_the_images() -> None:
    """A strip: the window has all its rows, and slides along it."""
    x1, y1, x2, y2 = attention_box(spot(2, 20, 0, 10, 2, 2), 1000, 100, 100)
    assert (y1, y2) == (0, 100)
    assert (x1, x2) == (50, 60)


def test_a_base_below_a_cell_is_one_cell() -> None:
    box = attention_box(spot(4, 4, 2, 1), 400, 400, 10)
    assert box == pytest.approx((36.25, 61.25, 38.75, 63.75))


def test_values_that_are_not_finite_give_the_whole_image() -> None:
    cells = spot(4, 4, 1, 1)
    cells[0, 0] = np.nan
    assert attention_box(cells, 100, 100, 25) == (0, 0, 100, 100)


def test_the_base_is_the_tile_but_at_most_a_quarter_of_the_image_and_at_least_a_cell() -> None:
    cells = np.zeros((8, 16))
    assert base_side(cells, 4000, 3000, 512) == 512
    assert base_side(cells, 640, 480, 512) == 160
    assert base_side(cells, 300, 1000, 512) == 250
    assert base_side(cells, 640, 480, 32) == 60
    assert base_side(cells, 1600, 480, 32) == 100
