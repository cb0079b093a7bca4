"""From the attention on an image's tokens to one map, and its relation to that of a general question."""

import numpy as np
import pytest

from cropvlm_trainer.attention.maps import image_map, relative


@pytest.mark.parametrize("grid", [(0, 0), (1, 1)])
def test_a_single_tile_is_the_map(grid: tuple[int, int]) -> None:
    np.testing.assert_array_equal(image_map(np.arange(9.0), *grid), np.arange(9.0).reshape(3, 3))


def test_tiles_lie_row_by_row() -> None:
    attention = np.repeat([1.0, 2, 3, 4, 5, 6, 0], 4)  # 2 x 3 tiles of 2 x 2 tokens, and a global view without any
    expected = [[1, 1, 2, 2, 3, 3]] * 2 + [[4, 4, 5, 5, 6, 6]] * 2
    np.testing.assert_array_equal(image_map(attention, 2, 3), expected)


def test_the_global_view_lies_over_all_tiles() -> None:
    attention = np.array([0.0] * 8 + [2.0, 4, 6, 8])  # 1 x 2 tiles of 2 x 2 tokens
    cells = image_map(attention, 1, 2)
    np.testing.assert_array_equal(cells, [[1, 1, 2, 2], [3, 3, 4, 4]])
    assert cells.sum() == attention.sum()


def test_attention_of_another_number_of_tiles_is_refused() -> None:
    with pytest.raises(ValueError, match="12 values are not the attention on 5 square tiles"):
        image_map(np.zeros(12), 2, 2)


def test_relative_attention_divides_and_never_by_zero() -> None:
    found = relative(np.array([[0.5, 0.25, 1.0]]), np.array([[0.25, 0.5, 0.0]]))
    np.testing.assert_allclose(found, [[2, 0.5, 1e9]])
