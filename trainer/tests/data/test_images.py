from hashlib import sha256
from io import BytesIO

import pytest
from PIL import Image

from cropvlm_trainer.data.columns import Columns, Raw, Rejection, answers_of, box_of, question_of
from cropvlm_trainer.data.images import ImageStore


def encoded(kind, mode="RGB", **options):
    data = BytesIO()
    color = {"RGB": (200, 10, 10), "P": 1, "CMYK": (0, 255, 255, 0)}[mode]
    Image.new(mode, (9, 5), color).save(data, kind, **options)
    return data.getvalue()


@pytest.fixture
def store(tmp_path):
    (tmp_path / "parts").mkdir()
    return ImageStore(tmp_path, tmp_path / "parts")


@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")])
def test_bytes_that_the_service_reads_are_kept(store, kind, suffix):
    data = encoded(kind)
    digest = sha256(data).hexdigest()
    assert store.add(data) == f"images/{digest[:2]}/{digest}.{suffix}"
    assert (store.out / store.add(data)).read_bytes() == data
    assert len([p for p in store.out.rglob("*") if p.is_file()]) == 1


@pytest.mark.parametrize(("kind", "mode"), [("GIF", "P"), ("BMP", "RGB"), ("TIFF", "RGB"), ("TIFF", "CMYK")])
def test_other_formats_become_png_named_by_the_png(store, kind, mode):
    data = encoded(kind, mode)
    path = store.out / store.add(data)
    assert path.stem == sha256(path.read_bytes()).hexdigest()
    with Image.open(path) as image, Image.open(BytesIO(data)) as source:
        assert image.format == "PNG"
        assert image.convert("RGB").tobytes() == source.convert("RGB").tobytes()


def test_a_turned_tiff_is_stored_upright(store):
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(store.out / store.add(encoded("TIFF", exif=exif))) as image:
        assert image.size == (5, 9)


@pytest.mark.parametrize(
    "data", [b"no image at all", encoded("PNG")[:48], encoded("JPEG")[:-200], b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_what_cannot_be_decoded_whole_is_rejected_and_not_stored(store, data):
    with pytest.raises(Rejection) as rejection:
        store.add(data)
    assert rejection.value.reason == "undecodable image"
    assert str(rejection.value)
    assert not [p for p in store.out.rglob("*") if p.is_file()]


@pytest.mark.parametrize("data", [None, b""])
def test_no_bytes_are_no_image(store, data):
    with pytest.raises(Rejection) as rejection:
        store.add(data)
    assert rejection.value.reason == "no image"


def raw(question="What?", answers=("a",), box=None):
    return Raw("docvqa", 0, question, answers, b"", box=box)


def reason(check, row):
    with pytest.raises(Rejection) as rejection:
        check(row)
    return rejection.value.reason


def test_questions_are_stripped_and_must_be_there():
    assert question_of(raw("  What is IT?\n")) == "What is IT?"
    assert {reason(question_of, raw(question)) for question in (None, "", " \n", 3)} == {"no question"}


def test_answers_keep_order_repeats_and_blanks():
    assert answers_of(raw(answers=["b", "a", "", "b "])) == ["b", "a", "", "b "]
    assert answers_of(raw(answers="one")) == ["one"]
    assert {reason(answers_of, raw(answers=answers)) for answers in (None, [], "", ["", " "])} == {"no answers"}
    assert {reason(answers_of, raw(answers=answers)) for answers in ([1], ["a", None], 7)} == {"answers are not text"}


def test_a_box_is_in_per_cent_or_not_at_all():
    assert box_of(raw()) is None
    assert box_of(raw(box=[1, 2.5, 3, 100])) == [1, 2.5, 3, 100]
    assert reason(box_of, raw(box=[10, 20, 300, 400])) == "invalid box"


def test_a_set_without_question_numbers_needs_three_columns():
    assert Columns("answer").needed() == ["image", "question", "answer"]
    assert Columns(source_id="questionId").needed() == ["image", "question", "answers", "questionId"]
