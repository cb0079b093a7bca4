"""Views of a page: what is drawn moves with its box."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cropvlm_trainer.full_sft.augment import View
from cropvlm_trainer.idefics3.image_processing import tiles

BOX = (40.0, 30.0, 60.0, 38.0)


def page(width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height), "white")
    x1, y1, x2, y2 = (value * side / 100 for value, side in zip(BOX, (width, height) * 2, strict=True))
    ImageDraw.Draw(image).rectangle([x1, y1, x2 - 1, y2 - 1], fill="black")
    return image


@pytest.mark.parametrize("size", [(200, 500), (900, 400), (64, 64)])
def test_what_is_drawn_moves_with_its_box(size):
    for seed in range(8):
        view = View(Random(seed), size[0] / size[1], 1.0)
        moved = view.box(BOX)
        drawn = view.picture(page(*size), 256).astype(int).sum(axis=2)
        # Darker than half way between the darkest and the median, which is the page's white.
        rows, columns = np.where(drawn < (drawn.min() + np.median(drawn)) / 2)
        inside = (
            (columns > moved[0] * 2.56 - 4)
            & (columns < moved[2] * 2.56 + 4)
            & (rows > moved[1] * 2.56 - 4)
            & (rows < moved[3] * 2.56 + 4)
        )
        # A black margin may be drawn around the page; the bar is the dark part near the box.
        middle_x, middle_y = (moved[0] + moved[2]) * 1.28, (moved[1] + moved[3]) * 1.28
        assert drawn[int(middle_y), int(middle_x)] < np.median(drawn) / 2
        assert inside.sum() > 0.6 * (moved[2] - moved[0]) * (moved[3] - moved[1]) * 2.56**2 * 0.5


def test_without_strength_a_view_is_the_page():
    image = page(120, 200)
    view = View(Random(1), 0.6, 0.0)
    assert view.box(BOX) == pytest.approx(BOX)
    assert view.point(10, 20) == pytest.approx((10, 20))
    assert (view.picture(image, 64) == tiles(image, 64, 64)[0]).all()


def test_a_box_that_leaves_the_view_is_none():
    view = View(Random(1), 1.0, 0.0)
    assert view.box((-2.0, 10.0, 20.0, 20.0)) is None
    assert view.box((-0.5, 10.0, 20.0, 20.0)) == pytest.approx((0, 10, 20, 20))


def test_the_same_seed_draws_the_same_view():
    pictures = [View(Random(5), 0.6, 1.0).picture(page(120, 200), 64) for _ in range(2)]
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != View(Random(6), 0.6, 1.0).picture(page(120, 200), 64)).any()
