from random import Random

import numpy as np
import pytest
from PIL import Image

from cropvlm_trainer.data.synth.documents.place import LONGEST, SHORTEST_LONG, WAYS, homography, placed


def test_four_points_make_a_homography():
    points, to = [(0, 0), (10, 0), (10, 20), (0, 20)], [(1, 2), (12, 3), (11, 25), (0, 22)]
    moved = homography(points, to) @ np.array([*zip(*points, strict=True), [1] * 4])
    assert pytest.approx(np.array(to)) == (moved[:2] / moved[2]).T


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_spot_is_where_the_matrix_says(way, mode):
    for seed in range(4):
        page = Image.new(mode, (700, 1300), "white")
        spot = (200, 900, 260, 940)
        page.paste(Image.new(mode, (60, 40), "black"), spot[:2])
        rng = Random(seed)
        state = rng.getstate()
        with_spot = placed(rng, page, 0.9, way)
        rng.setstate(state)
        without = placed(rng, Image.new(mode, page.size, "white"), 0.9, way)
        changed = np.asarray(with_spot.image.convert("L")) != np.asarray(without.image.convert("L"))
        rows, columns = np.nonzero(changed)
        width, height = with_spot.image.size
        seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        said = np.multiply(with_spot.rect(spot), (width, height, width, height)) / 100
        assert np.abs(said - seen).max() < 3, (seed, said, seen)
        assert SHORTEST_LONG * 0.5 <= max(width, height) <= LONGEST
