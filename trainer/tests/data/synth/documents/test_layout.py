from random import Random

import numpy as np
import pytest

from cropvlm_trainer.data.synth.documents.layout import Layout, Panel, Pen, Rule, Text, Type, rect_of
from cropvlm_trainer.data.synth.documents.paint import painted


@pytest.fixture
def type(fonts):
    return Type(fonts.families["till"][0].regular, 30)


def ink_of(layout) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(np.asarray(painted(layout)) < 250)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("wide", [1.0, 1.7, 0.6])
def test_the_rectangle_of_a_text_holds_its_ink_and_little_more(type, wide):
    layout = Layout(600, 200)
    layout.marks.append(Text("Amount: gj 12.50", 31.4, 90.2, type.times(1, wide=wide)))
    more = np.subtract(ink_of(layout), layout.marks[0].rect) * (1, 1, -1, -1)
    assert more.min() > -1 and more.max() < 0.15 * 30 * max(1, wide)


def test_lines_are_what_stands_close_together(type):
    layout = Layout(800, 300)
    pen = Pen(layout, type, 20, 780, 50, 45)
    pen.put("TOTAL")
    amount = pen.put("12.50", align="r")
    pen.down()
    name = pen.put("Date:")
    value = pen.put("1 May", name.rect[2] + 12)
    pen.down()
    pen.rule(Random(0), "-")
    assert [[text.text for text in line] for line in layout.lines()] == [["TOTAL"], ["12.50"], ["Date:", "1 May"]]
    assert rect_of([name, value]) == (*name.rect[:2], value.rect[2], max(name.rect[3], value.rect[3]))
    assert amount.x + type.width("12.50") == pytest.approx(780)


def test_a_text_that_is_too_wide_is_cut_off(type):
    pen = Pen(Layout(300, 100), type, 0, 300, 50, 40)
    assert pen.put("ABCDEFGHIJ KLM", room=type.width("ABCDEFGHIJ ")).text == "ABCDEFGHIJ"


def test_only_what_has_a_colour_is_painted_in_colours(type):
    layout = Layout(100, 100, [Rule(0, 0, 9, 9)])
    assert painted(layout).mode == "L"
    layout.marks.append(Panel((10, 10, 50, 50), fill=(200, 0, 0)))
    picture = painted(layout)
    assert picture.mode == "RGB" and picture.getpixel((30, 30)) == (200, 0, 0)
