"""Pictures of every mode are read as the service reads them, and what cannot be read is named by its path."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess

import numpy as np
import pytest
from PIL import Image
from support.paths import REPOSITORY
from support.png import GREY, GREY_ALPHA, PALETTE, RGB, RGBA, png

from cropvlm_trainer.cli import main
from cropvlm_trainer.pictures import decoded, open_picture

WIDTH, HEIGHT = 21, 13
RANDOM = np.random.default_rng(0)


def drawn(channels: int, bits: int) -> np.ndarray:
    values = RANDOM.integers(0, 2**bits, (HEIGHT, WIDTH, channels))
    # A corner of one value, which the files with a tRNS chunk name as transparent.
    values[:4, :4] = values[0, 0]
    return values


def on_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """As libvips' `flatten` does: rounded down."""
    return (colour * alpha + 255 * (255 - alpha)) // 255


def cleared(colour: np.ndarray, is_clear: np.ndarray) -> np.ndarray:
    return np.where(is_clear, 255, colour)


def cases() -> dict[str, tuple[bytes, np.ndarray]]:
    """Files by name, and the RGB that each stands for."""
    made = {}
    for bits in (1, 2, 4, 8):
        grey = drawn(1, bits)
        key = int(grey[0, 0, 0])
        shown = (grey * 255 // (2**bits - 1)).repeat(3, axis=2)
        made[f"grey-{bits}"] = png(grey, bits, GREY), shown
        made[f"grey-{bits}-clear"] = (
            png(grey, bits, GREY, transparent=struct.pack(">H", key)),
            cleared(shown, grey == key),
        )
        palette = RANDOM.integers(0, 256, (2**bits, 3))
        alphas = RANDOM.integers(0, 256, 2 ** (bits - 1))
        index = grey[..., 0]
        made[f"palette-{bits}"] = png(index, bits, PALETTE, palette.astype(np.uint8).tobytes()), palette[index]
        alpha = np.concatenate([alphas, np.full(2**bits - len(alphas), 255)])[index][..., None]
        file = png(index, bits, PALETTE, palette.astype(np.uint8).tobytes(), alphas.astype(np.uint8).tobytes())
        made[f"palette-{bits}-alpha"] = file, on_white(palette[index], alpha)
    grey = drawn(1, 16)
    made["grey-16"] = png(grey, 16, GREY), (grey >> 8).repeat(3, axis=2)
    key = int(grey[0, 0, 0])
    made["grey-16-clear"] = (
        png(grey, 16, GREY, transparent=struct.pack(">H", key)),
        cleared((grey >> 8).repeat(3, axis=2), grey == key),
    )
    both = drawn(2, 8)
    made["grey-alpha"] = png(both, 8, GREY_ALPHA), on_white(both[..., :1].repeat(3, axis=2), both[..., 1:])
    colour = drawn(3, 8)
    made["rgb"] = png(colour, 8, RGB), colour
    clear = (colour == colour[0, 0]).all(axis=2, keepdims=True)
    made["rgb-clear"] = png(colour, 8, RGB, transparent=struct.pack(">HHH", *colour[0, 0])), cleared(colour, clear)
    deep = drawn(3, 16)
    made["rgb-16"] = png(deep, 16, RGB), deep >> 8
    clear = (deep == deep[0, 0]).all(axis=2, keepdims=True)
    made["rgb-16-clear"] = png(deep, 16, RGB, transparent=struct.pack(">HHH", *deep[0, 0])), cleared(deep >> 8, clear)
    four = drawn(4, 8)
    made["rgba"] = png(four, 8, RGBA), on_white(four[..., :3], four[..., 3:])
    return made


CASES = cases()
MODES = {"grey-1": "1", "grey-8": "L", "grey-16": "I;16", "palette-8": "P", "grey-alpha": "LA", "rgba": "RGBA"}


@pytest.mark.parametrize("name", CASES)
def test_a_png_of_every_kind(tmp_path, name):
    file, shown = CASES[name]
    (tmp_path / "a.png").write_bytes(file)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == MODES.get(name, image.mode)
    read = open_picture(tmp_path / "a.png")
    assert read.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(read), shown)


SERVICE = """
import sharp from 'sharp'
import fs from 'node:fs'
const shown = {}
for (const path of process.argv.slice(1)) {
  const picture = sharp(fs.readFileSync(path), { ignoreIcc: true, failOn: 'error', autoOrient: true })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
  const { data, info } = await picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  shown[path] = { channels: info.channels, data: [...data] }
}
console.log(JSON.stringify(shown))
"""
"""The steps of `src/image/decode.ts`."""


def test_libvips_says_the_same(tmp_path):
    if not shutil.which("node") or not (REPOSITORY / "node_modules" / "sharp").is_dir():
        pytest.skip("needs node, and `npm install` in the repository")
    deep = drawn(4, 16)
    more = {"rgba-16": png(deep, 16, RGBA), "grey-alpha-16": png(deep[..., 2:], 16, GREY_ALPHA)}
    for name, file in ({name: file for name, (file, _) in CASES.items()} | more).items():
        (tmp_path / f"{name}.png").write_bytes(file)
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    command = ["node", "--input-type=module", "-e", SERVICE, *paths]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for path, found in json.loads(done.stdout).items():
        theirs = np.array(found["data"]).reshape(HEIGHT, WIDTH, found["channels"])
        ours = np.asarray(open_picture(tmp_path / path)).astype(int)
        # Pillow gives 8 of 16 bits where there is alpha; libvips composites before it drops them.
        bound = 2 if path.endswith(tuple(f"{name}.png" for name in more)) else 0
        assert np.abs(ours - theirs).max() <= bound, path


@pytest.mark.parametrize("mode", ["I", "I;16", "I;16B"])
def test_16_bits_of_other_formats(mode):
    values = drawn(1, 16)[..., 0]
    kinds = {"I": np.int32, "I;16": "<u2", "I;16B": ">u2"}
    image = Image.frombytes(mode, (WIDTH, HEIGHT), values.astype(kinds[mode]).tobytes())
    np.testing.assert_array_equal(np.asarray(decoded(image)), (values >> 8)[..., None].repeat(3, axis=2))


def test_palettes_with_alpha_of_their_own():
    image = Image.new("PA", (2, 1), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((0, 0), (1, 255))
    image.putpixel((1, 0), (0, 100))
    expected = on_white(np.array([10, 20, 30]), np.array(100)).tolist()
    assert np.asarray(decoded(image)).tolist() == [[[40, 50, 60], expected]]


def test_cmyk_is_converted_by_pillow(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    assert open_picture(tmp_path / "a.jpg").getpixel((4, 4)) == (255, 0, 0)


def test_a_picture_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the picture .*/images/a\.png is not there; put it back"):
        open_picture(tmp_path / "images" / "a.png")


@pytest.mark.parametrize("content", [b"no picture", CASES["rgb"][0][:-60], CASES["rgb"][0][:40]])
def test_a_broken_picture_is_named_without_an_address(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"the picture .*a\.png cannot be decoded \(.+\); put a whole one") as raised:
        open_picture(path)
    assert "0x" not in str(raised.value)


def test_a_stored_picture_is_rejected_without_an_address(tmp_path):
    (tmp_path / "rows.jsonl").write_text(
        json.dumps({"id": "1", "image": "a.png", "question": "What?", "answers": ["7"]}) + "\n"
    )
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert main(["data", "build", "--source", f"jsonl={tmp_path / 'rows.jsonl'}", "--out", str(tmp_path / "out")]) == 2
    (rejected,) = (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()
    assert json.loads(rejected)["detail"] == "it is no image, or of a format that is not read"


def test_files_are_read_as_the_service_reads_them(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 4), dtype=np.uint8)
    pixels[0, 0], pixels[0, 1, 3] = (10, 20, 30, 0), 255
    Image.fromarray(pixels).save(tmp_path / "alpha.png")
    read = np.asarray(open_picture(tmp_path / "alpha.png"))
    assert read[0, 0].tolist() == [255, 255, 255] and read[0, 1].tolist() == pixels[0, 1, :3].tolist()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels[..., :3]).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(np.asarray(open_picture(tmp_path / "turned.png")), np.rot90(pixels[..., :3], -1))
