from random import Random

from cropvlm_trainer.data.synth.documents.layout import Entry, Fact, Layout, Pen, Type
from cropvlm_trainer.data.synth.documents.questions import asked_about, labels_of


def page(fonts, *lines: str, between: str = ": ") -> Layout:
    layout = Layout(800, 600)
    pen = Pen(layout, Type(fonts.families["till"][0].regular, 24), 20, 780, 40, 40)
    for line in lines:
        label, value = line.split(": ")
        layout.entries.append(Entry(label, value, pen.put(label + between + value)))
        pen.down()
    return layout


def test_labels_that_stand_there_twice_are_not_asked_for(fonts):
    layout = page(fonts, "Table: 4", "Cashier: Ann", "TABLE: 5")
    assert labels_of(layout) == {"table": 2, "cashier": 1}
    assert [asked.answer for asked in asked_about(layout, Random(0), layout.texts())] == ["Ann"]


def test_labels_count_without_a_colon_too(fonts):
    layout = page(fonts, "Rate: 4", "Cashier: Ann", "RATE: 5", between="  ")
    assert [text.text for text in layout.texts()] == ["Rate  4", "Cashier  Ann", "RATE  5"]
    assert labels_of(layout) == {"rate": 2, "cashier": 1}


def test_what_is_not_in_the_picture_is_not_asked_for(fonts):
    layout = page(fonts, "Table: 4", "Cashier: Ann")
    assert {asked.answer for asked in asked_about(layout, Random(0), layout.texts())} == {"4", "Ann"}
    assert [asked.answer for asked in asked_about(layout, Random(0), layout.texts()[:1])] == ["4"]


def test_fields_come_first_and_cells_are_labels(fonts):
    layout = page(fonts, "Table: 4", "Tea: 2.00")
    tea, total = layout.texts()[1], layout.texts()[0]
    layout.facts = [
        Fact(("How much is the tea?",), "2.00", tea, is_cell=True),
        Fact(("Total?",), "4", total, field="total"),
    ]
    first, *others = asked_about(layout, Random(0), layout.texts())
    assert (first.question, first.field, first.is_label) == ("Total?", "total", False)
    assert len(others) == 3 and all(asked.is_label and not asked.field for asked in others)


def test_a_question_that_comes_twice_is_left_out(fonts):
    layout = page(fonts, "Table: 4")
    twice = [Fact(("How much is the tea?",), answer, layout.texts()[0], True) for answer in ("1.00", "2.00")]
    layout.facts = twice
    assert [asked.answer for asked in asked_about(layout, Random(0), layout.texts())] == ["4"]


def test_labels_are_asked_for_in_several_ways(fonts):
    layout = page(fonts, "Cashier: Ann")
    asked = {asked_about(layout, Random(seed), layout.texts())[0].question for seed in range(60)}
    assert "What is the cashier?" in asked and len(asked) > 6
    assert all("cashier" in question for question in asked)
