from hashlib import sha256
from io import BytesIO

import pytest
from PIL import Image

from cropvlm_trainer.data.columns import Rejection
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
