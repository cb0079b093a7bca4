import json
from random import Random

import pytest
from PIL import Image

from cropvlm_trainer.boxes import expanded
from cropvlm_trainer.evaluation.croppings import cut, moved
from cropvlm_trainer.evaluation.plot import draw_expansion
from cropvlm_trainer.evaluation.questions import asked_question, measure_of, options_of, scored_rows
from cropvlm_trainer.evaluation.report import held_out, markdown, table
from cropvlm_trainer.evaluation.scores import choice_counts, own_measures

TEXT = {
    "image": "a.png",
    "kind": "page",
    "question": "What?",
    "answers": ["red"] * 3 + ["blue"] * 7,
    "source": "textvqa",
}
DOC = {"image": "b.png", "kind": "page", "question": "How much?", "answers": ["12.50"], "source": "DocVQA"}
CHOICE = {"image": "c.png", "kind": "page", "question": "Where?", "answers": ["B"], "source": "V*"}
CHOICE["options"] = ["on the left", "on the right"]
PAGE = {"image": "d.png", "kind": "receipt", "question": "Total?", "answers": ["3"], "box": [10, 10, 30, 20]}


def written(folder, *rows):
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return folder


def test_rows_without_a_box_are_read(tmp_path):
    assert scored_rows(written(tmp_path, TEXT, {**DOC, "box": None}, CHOICE), None) == [
        TEXT,
        {**DOC, "box": None},
        CHOICE,
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box": [10, 10, 10, 20]}, ": .* is no box: .x1, y1, x2, y2. in per cent"),
        ({"box": [10, 10, 130, 20]}, ": .* in per cent"),
        ({"box": "10, 10, 30, 20"}, ": .* in per cent"),
        ({"answers": "3"}, " has no answers, a list of texts"),
        ({"answers": [3]}, " has no answers, a list of texts"),
        ({"source": "mytextvqa"}, ": .*leave it out to score by exact match"),
        ({"source": "hrbench"}, ": .*needs 2 to 26 options"),
        ({"source": "hrbench", "options": ["a bus", "a car"]}, ": .*must name one of the options"),
    ],
)
def test_rows_that_cannot_be_scored(tmp_path, change, message):
    with pytest.raises(ValueError, match=f"row 2 of .*manifest.jsonl{message}"):
        scored_rows(written(tmp_path, PAGE, {**PAGE, **change}), None)


def test_each_dataset_has_its_measure():
    names = {
        "vqa_accuracy": ["textvqa", "TextVQA validation"],
        "anls": ["docvqa", "infographicvqa", "InfoVQA", "stvqa", "ST-VQA"],
        "multiple_choice": ["vstar", "V*", "hrbench", "HR-Bench 4k"],
        "exact_match": ["synth", "synthetic", "jsonl", None],
    }
    for measure, sources in names.items():
        assert {measure_of({"source": source}) for source in sources} == {measure}


def test_the_target_is_asked_with_the_options():
    assert asked_question(TEXT) == "What?"
    assert asked_question(CHOICE) == "Where?\n(A) on the left\n(B) on the right"
    listed = {**CHOICE, "question": "Where?\n(A) here\n(B) there", "options": None}
    assert (asked_question(listed), options_of(listed)) == (listed["question"], ["here", "there"])


def test_expansion_multiplies_the_area_about_the_centre():
    assert expanded((40, 40, 60, 50), 4) == pytest.approx((30, 35, 70, 55))
    assert expanded((40, 40, 60, 50), 0.25) == pytest.approx((45, 42.5, 55, 47.5))
    assert expanded((0, 0, 20, 10), 4) == pytest.approx((0, 0, 30, 15)), "cut off, not shifted"
    assert expanded((3, 4, 5, 6), 1) == (3, 4, 5, 6)
    for factor in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="factors above 0"):
            expanded((40, 40, 60, 50), factor)


def test_random_boxes_keep_their_size_and_stay_on_the_page():
    rng = Random(0)
    assert moved(rng, (0, 0, 100, 100)) == (0, 0, 100, 100)
    boxes = {moved(rng, (40, 50, 54, 60)) for _ in range(200)}
    assert len(boxes) > 150
    assert all((x2 - x1, y2 - y1) == (14, 10) and x1 >= 0 and x2 <= 100 and y1 >= 0 for x1, y1, x2, y2 in boxes)


def test_crops_are_cut_from_the_original_pixels():
    image = Image.new("RGB", (200, 100))
    image.putpixel((50, 20), (255, 0, 0))
    crop = cut(image, (25, 20, 50.2, 40))
    assert (crop.size, crop.getpixel((0, 0))) == ((51, 20), (255, 0, 0))
    assert cut(image, None).size == (200, 100)


def test_own_measures_and_their_average():
    scores = own_measures([TEXT, DOC, CHOICE, PAGE], ["Red.", "12.5", "right", "4"])
    assert scores == {
        "DocVQA": pytest.approx(0.8),
        "V*": 1,
        "no source": 0,
        "textvqa": pytest.approx(0.9),
        "average": pytest.approx(2.7 / 4),
    }


def test_choices_are_counted_by_outcome():
    answers = ["B", "left", "I cannot see it", "perhaps", None]
    counts = choice_counts([CHOICE] * 5, answers)
    assert counts == {"right": 1, "wrong": 1, "refused": 1, "unparseable": 1, "failed": 1}
    assert choice_counts([PAGE], ["3"]) == {}


def test_a_report_of_mixed_data_says_what_it_lacks():
    rows = [TEXT, DOC, CHOICE, PAGE]
    answers = {"full image": ["red", None, "A", "3."], "full image + cropper": ["blue", "12.50", "B", "3"]}
    report = held_out(rows, answers, [(0, 0, 50, 50), None, (0, 0, 50, 100), (10, 10, 30, 20)])
    assert report["exact_match"]["full image"] == {"all": 0.5, "page": pytest.approx(1 / 3), "receipt": 1}
    assert report["boxes"] == {"iou": 1, "recall": 1, "full_recall": 1, "size": 0.02, "valid": 1}
    assert report["cropper"] == {"no_valid_box": 1, "size": pytest.approx((0.25 + 1 + 0.5 + 0.02) / 4)}
    assert report["failed"] == {"full image": 1}
    assert report["measures"]["anls"]["full image + cropper"] == {"all": 1, "DocVQA": 1, "no source": 1, "textvqa": 1}
    assert report["measures"]["multiple_choice"]["full image"] == {"all": 0, "V*": 0}
    assert report["notes"] == [
        "3 of 4 rows have no box: no rows for true and random boxes; box measures are over the others",
        "the cropper gave no valid box for 1 of 4 questions, where the full image stands in",
        "answers that the target failed to give, and that count as wrong: 1 (full image)",
    ]
    tables = markdown(report, rows)
    assert "| full image + cropper | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 |" in tables
    assert "DocVQA ANLS, V* multiple choice, no source exact match, textvqa VQA accuracy." in tables
    assert "| full image | 0 | 1 | 0 | 0 | 0 |" in tables
    assert all(f"Note: {note}." in tables for note in report["notes"])


def test_the_table_is_in_per_cent():
    rows = table({"full image": {"all": 0.125, "receipt": 1.0}}).splitlines()
    assert rows == ["| exact match, % | all | receipt |", "|---|---|---|", "| full image | 12.5 | 100.0 |"]


def test_the_plot_is_a_picture_with_a_curve(tmp_path):
    path = tmp_path / "new" / "plot.png"
    draw_expansion(path, {2.0: 0.6, 0.5: 0.3, 1.0: 0.5}, 0.4, "VQA accuracy")
    image = Image.open(path).convert("RGB")
    blue = sum(count for count, (r, g, b) in image.getcolors(1 << 20) if b > r + 80)
    assert (image.format, image.size, blue > 500) == (None, (900, 600), True)
