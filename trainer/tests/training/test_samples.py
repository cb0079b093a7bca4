"""Sample pictures: where boxes are drawn, and what is written below the page."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageColor, ImageFont

from cropvlm_trainer.training.samples import FOUND, TRUE, Sample, draw_samples, picture, wrapped

GREY = (128, 128, 128)


def page(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), GREY)


def pixels(image: Image.Image, colour: str) -> set[tuple[int, int]]:
    rows, columns = (np.asarray(image) == ImageColor.getrgb(colour)).all(axis=2).nonzero()
    return set(zip(columns.tolist(), rows.tolist(), strict=True))


def test_found_boxes_are_outlined_where_they_are():
    image = picture(Sample(page(400, 300), "What?", [(25, 40, 75, 80)]))
    on, box = pixels(image, FOUND), (100, 120, 300, 240)
    outline = {(x, y) for x, y in on if y >= box[1]}
    assert min(outline) == (100, 120) and max(outline) == (299, 239), "its last row and column are inside"
    assert len(outline) == 200 * 120 - 196 * 116, "two pixels wide"
    assert all(100 <= x <= 130 and 100 <= y < 120 for x, y in on - outline) and on - outline, "the number's tag"


def test_the_true_box_is_drawn_around_itself_and_in_another_colour():
    image = picture(Sample(page(400, 300), "What?", [], truth=(25.5, 40, 74.9, 79.9)))
    on = pixels(image, TRUE)
    assert not pixels(image, FOUND)
    assert (min(on), max(on)) == ((102 - 4, 120 - 4), (299 + 4, 239 + 4))
    assert len(on) == (198 + 8) * (120 + 8) - 198 * 120, "what is in the box is not covered"


def test_large_pages_are_shrunk_and_small_ones_kept():
    assert picture(Sample(page(3000, 1500), "", [])).crop((0, 0, 768, 384)).getcolors() == [(768 * 384, GREY)]
    small = picture(Sample(page(96, 60), "What?", []))
    assert small.width == 384 and small.crop((0, 0, 96, 60)).getcolors() == [(96 * 60, GREY)]


def test_the_strip_has_room_for_what_it_tells():
    image, boxes = page(400, 300), [(0, 0, 50, 50), None, (0, 0, 50, 50)]
    heights = [
        picture(Sample(image, *rest)).height
        for rest in (("Q", []), ("Q", boxes), ("Q", boxes, None, "note"), ("Q\nQ\nQ", boxes, None, "note"))
    ]
    line = heights[1] - heights[0]
    assert line > 17 and heights == [heights[0] + line * n for n in (0, 1, 2, 4)]
    strip = picture(Sample(image, "Q", [])).crop((0, 300, 400, heights[0])).convert("L")
    assert strip.getextrema()[0] < 60, "dark on white"
    assert image.size == (400, 300) and image.getcolors() == [(400 * 300, GREY)], "the page itself stays clean"


def test_equal_boxes_share_a_tag():
    one = pixels(picture(Sample(page(400, 300), "Q", [(25, 40, 75, 80)])), FOUND)
    three = pixels(picture(Sample(page(400, 300), "Q", [(25, 40, 75, 80)] * 3)), FOUND)
    right = [max(x for x, y in on if y < 118) for on in (one, three)]
    assert right[1] > right[0] + 15, "1, 2, 3 beside 1"


def test_pictures_lie_by_step(tmp_path):
    samples = [Sample(page(50, 40), "What?", [None]), Sample(page(60, 40), "Where?", [(0, 0, 100, 100)])]
    folder = draw_samples(tmp_path, 50, samples)
    assert folder == tmp_path / "samples" / "step-000050"
    assert sorted(path.name for path in folder.iterdir()) == ["0.jpg", "1.jpg"]
    with Image.open(folder / "1.jpg") as image:
        assert (image.format, image.width) == ("JPEG", 384)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 1000, ["one two three"]),
        ("one two three", 70, ["one two", "three"]),
        ("one\n\ntwo", 1000, ["one", "two"]),
        ("", 100, []),
    ],
)
def test_words_are_wrapped(text, width, lines):
    assert wrapped(text, ImageFont.load_default(size=17), width) == lines


def test_a_word_wider_than_the_page_is_broken():
    font = ImageFont.load_default(size=17)
    lines = wrapped("a " + "w" * 40, font, 100)
    assert lines[0] == "a" and "".join(lines[1:]) == "w" * 40
    assert all(font.getlength(line) <= 100 for line in lines)
