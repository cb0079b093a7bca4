import numpy as np
import pytest
from PIL import Image
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

from cropvlm_trainer.idefics3.image_processing import crop, load_image, tile_grid, tiles

SIZES = [(1, 1), (37, 11), (11, 37), (96, 96), (100, 97), (640, 480), (480, 641), (1000, 30), (3, 999), (500, 499)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("longest_edge", [96, 192, 384])
def test_tiles_equal_transformers(size, longest_edge):
    pixels = np.random.default_rng(size[0] * 7 + size[1]).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    processor = Idefics3ImageProcessorPil(
        size={"longest_edge": longest_edge}, max_image_size={"longest_edge": 96}, do_rescale=False, do_normalize=False
    )
    theirs = processor(image, return_tensors="np")["pixel_values"][0]
    ours = tiles(image, longest_edge, 96)
    assert ours.shape[0] == theirs.shape[0]
    np.testing.assert_array_equal(ours.transpose(0, 3, 1, 2), theirs.astype(np.uint8))
    rows, columns = tile_grid(*size, longest_edge, 96)
    assert ours.shape[0] == (1 if rows == columns == 1 else rows * columns + 1)


def test_files_are_read_as_the_service_reads_them(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 4), dtype=np.uint8)
    pixels[0, 0], pixels[0, 1, 3] = (10, 20, 30, 0), 255
    Image.fromarray(pixels).save(tmp_path / "alpha.png")
    read = np.asarray(load_image(tmp_path / "alpha.png"))
    assert read[0, 0].tolist() == [255, 255, 255] and read[0, 1].tolist() == pixels[0, 1, :3].tolist()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels[..., :3]).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(np.asarray(load_image(tmp_path / "turned.png")), np.rot90(pixels[..., :3], -1))


def test_crops_are_cut_from_the_original_pixels():
    image = Image.new("RGB", (200, 100))
    image.putpixel((50, 20), (255, 0, 0))
    cropped = crop(image, (25, 20, 50.2, 40))
    assert (cropped.size, cropped.getpixel((0, 0))) == ((51, 20), (255, 0, 0))
    assert crop(image, None).size == (200, 100)
