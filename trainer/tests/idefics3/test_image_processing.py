import numpy as np
import pytest
from PIL import Image
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

from cropvlm_trainer.idefics3.image_processing import check_resolution, crop, tile_grid, tiles

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


def test_a_strip_of_one_pixel_has_a_tile():
    """1568 times 1 / 1568 is below 1 as a float; transformers would have no tile."""
    assert tile_grid(1, 1568, 1568, 32) == (49, 1)
    assert tiles(Image.new("RGB", (1, 1568)), 1568, 32).shape == (50, 32, 32, 3)


def test_crops_are_cut_from_the_original_pixels():
    image = Image.new("RGB", (200, 100))
    image.putpixel((50, 20), (255, 0, 0))
    cropped = crop(image, (25, 20, 50.2, 40))
    assert (cropped.size, cropped.getpixel((0, 0))) == ((51, 20), (255, 0, 0))
    assert crop(image, None).size == (200, 100)


def test_a_longest_edge_is_a_multiple_of_the_tile_that_has_token_names():
    for resolution in (64, 128, 6 * 64):
        check_resolution("resolution", resolution, 64)
    with pytest.raises(ValueError, match="^resolution 96 must be a multiple of the model's tiles, 64 pixels$"):
        check_resolution("resolution", 96, 64)
    with pytest.raises(ValueError, match="^resolution 448 is too large: the model's tiles have names up to 384$"):
        check_resolution("resolution", 7 * 64, 64)
