"""Goldens of image processing: tile grids and resized pixels, both made by transformers' Idefics3 processor."""

from pathlib import Path

import numpy as np
from PIL import Image
from transformers import Idefics3ImageProcessorPil

from cropvlm_trainer.data.synth.test_patterns import FORMULAS, pattern_image

GRID_SIZES = [
    (1, 1), (2, 1), (1, 7), (37, 11), (63, 64), (65, 64), (64, 129), (300, 1000), (1000, 300), (513, 511),
    (640, 480), (480, 640), (1023, 767), (1024, 1024), (1025, 513), (2047, 2049), (1920, 1080), (3000, 30),
    (30, 3000), (4000, 6000), (6000, 4000),
]  # fmt: skip
LONGEST_EDGES = {512: (512, 1024, 2048), 64: (64, 128, 256)}

# (pattern, width, height, tile, longest edge), in pixels. There are images that are shrunk, images that are enlarged,
# images that are shrunk in one direction and enlarged in the other, images that keep their size, and extreme shapes.
PIXEL_CASES = [
    ("hash", 1, 1, 64, 64),
    ("gradient", 2, 1, 64, 128),
    ("hash", 37, 11, 64, 64),
    ("hash", 37, 11, 64, 256),
    ("strokes", 50, 70, 64, 128),
    ("checker", 64, 64, 64, 64),
    ("checker", 63, 65, 64, 64),
    ("edges", 100, 30, 64, 128),
    ("strokes", 300, 40, 64, 256),
    ("hash", 40, 300, 64, 128),
    ("edges", 128, 10, 64, 128),
    ("checker", 640, 480, 64, 256),
    ("strokes", 640, 480, 64, 128),
    ("hash", 1023, 767, 64, 64),
    ("blocks", 1920, 1080, 64, 256),
    ("edges", 3000, 30, 64, 256),
    ("strokes", 30, 3000, 64, 128),
    ("hash", 6000, 4000, 64, 64),
    ("gradient", 6000, 4000, 64, 128),
    ("strokes", 6000, 4000, 64, 256),
    ("blocks", 37, 11, 512, 512),
    ("edges", 700, 500, 512, 512),
    ("strokes", 320, 240, 512, 512),
    ("checker", 511, 300, 512, 512),
    ("edges", 300, 200, 512, 1024),
    ("gradient", 1300, 400, 512, 1024),
]


def image_processor(tile: int, longest_edge: int) -> Idefics3ImageProcessorPil:
    """Returns SmolVLM's image processor for tiles and longest edges of these numbers of pixels."""
    return Idefics3ImageProcessorPil(
        size={"longest_edge": longest_edge},
        max_image_size={"longest_edge": tile},
        resample=Image.Resampling.LANCZOS,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )


def tiles_of(image: Image.Image, tile: int, longest_edge: int) -> tuple[np.ndarray, int, int]:
    """Returns the tiles before rescaling, uint8 `[n, tile, tile, 3]`, and the rows and columns, 0 for a single tile."""
    processor = image_processor(tile, longest_edge)
    made = processor(image, do_rescale=False, do_normalize=False, return_row_col_info=True, return_tensors="np")
    tiles = np.asarray(made["pixel_values"])[0].transpose(0, 2, 3, 1)
    whole = tiles.astype(np.uint8)
    assert np.array_equal(whole, tiles), "the processor's pixels are whole numbers before rescaling"
    return whole, made["rows"][0][0], made["cols"][0][0]


def grids() -> dict:
    """Returns the golden of the number of tiles by image size."""
    cases = []
    for tile, edges in LONGEST_EDGES.items():
        for width, height in GRID_SIZES:
            for edge in edges:
                processor = image_processor(tile, edge)
                shape = np.broadcast_to(np.uint8(0), (3, height, width))
                size = processor.resize(shape, processor.size, resample=processor.resample)
                size = processor.resize_for_vision_encoder(size, tile, resample=processor.resample)
                frames, rows, cols = processor.split_images(size, {"longest_edge": tile}, resample=processor.resample)
                cases.append(
                    {"tile": tile, "width": width, "height": height, "longest_edge": edge}
                    | {"rows": rows, "cols": cols, "tiles": len(frames)}
                )
    return {
        "made_by": "transformers' Idefics3ImageProcessorPil: resize, resize_for_vision_encoder, split_images",
        "cases": cases,
    }


def pixels(out: Path) -> dict:
    """Writes the resized images as PNGs to `out`/pixels; returns the golden that describes them."""
    (out / "pixels").mkdir(parents=True, exist_ok=True)
    cases = []
    for pattern, width, height, tile, edge in PIXEL_CASES:
        tiles, rows, cols = tiles_of(pattern_image(pattern, width, height), tile, edge)
        name = f"pixels/{pattern}-{width}x{height}-{edge}-{tile}"
        case = {"pattern": pattern, "width": width, "height": height, "longest_edge": edge, "tile": tile}
        case |= {"rows": rows, "cols": cols, "expected": f"{name}.png", "global": None}
        if rows:
            split = tiles[:-1].reshape(rows, cols, tile, tile, 3)
            whole = split.transpose(0, 2, 1, 3, 4).reshape(rows * tile, cols * tile, 3)
            case["global"] = f"{name}-global.png"
            Image.fromarray(tiles[-1]).save(out / case["global"], optimize=True)
        else:
            whole = tiles[0]
        Image.fromarray(whole).save(out / case["expected"], optimize=True)
        cases.append(case)
    return {
        "made_by": "transformers' Idefics3ImageProcessorPil without rescale and normalise, tiles put together again",
        "formula": FORMULAS,
        "notes": (
            "An image is w x h, RGB; a formula gives channel c (0 red, 1 green, 2 blue) at column x, row y. "
            "expected: the resized image before it is cut into tiles; global: the last tile of a split image."
        ),
        "cases": cases,
    }
