from random import Random

import numpy as np
import pytest
from PIL import Image

from cropvlm_trainer.data.synth.documents.dirt import folded, scanned
from cropvlm_trainer.data.synth.documents.ground import ground
from cropvlm_trainer.data.synth.documents.paint import PRINTS, printed
from cropvlm_trainer.pictures import open_picture


def sheet(mode: str) -> Image.Image:
    """White, with a black square of which every print and scan has to leave something."""
    page = Image.new(mode, (300, 400), "white")
    page.paste(Image.new(mode, (100, 100), "black"), (100, 200))
    return page


def contrast(image: Image.Image) -> float:
    grey = np.asarray(image.convert("L"), dtype=np.float32)
    return float(np.median(grey[20:180]) - np.mean(grey[220:280, 120:180]))


@pytest.mark.parametrize("how", PRINTS)
def test_print_stays_visible_and_paper_white(how):
    for seed in range(6):
        out = printed(sheet("L"), how, Random(seed))
        assert contrast(out) > 60 and out.getpixel((5, 5)) == 255
        assert printed(sheet("L"), how, Random(seed)).tobytes() == out.tobytes()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_what_was_scanned_is_a_jpeg_of_the_same_size_that_can_be_read(mode, tmp_path):
    files = set()
    for seed in range(6):
        file = scanned(Random(seed), folded(Random(seed), sheet(mode)), seed % 2 == 0, seed % 3 == 0)
        (tmp_path / "page.jpg").write_bytes(file)
        picture = open_picture(tmp_path / "page.jpg")
        assert picture.size == (300, 400) and contrast(picture) > 80
        files.add(file)
    assert len(files) == 6


def test_grounds_differ():
    drawn = {ground(Random(seed), (120, 90)).tobytes() for seed in range(8)}
    assert len(drawn) == 8 and all(len(pixels) == 120 * 90 * 3 for pixels in drawn)
