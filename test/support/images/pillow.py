"""Writes images of many kinds to the folder argv[1], each with its pixels (NAME.rgb) as the trainer sees them by Pillow."""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

OUT = Path(sys.argv[1])
WIDTH, HEIGHT = 48, 40


def pattern(channels: int) -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([(x * 5 + y * 3 * (i + 1) + i * 40) % 256 for i in range(channels)], -1).astype(np.uint8)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def rgb(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def on_white(file: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(file)).convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255))
    return np.asarray(Image.alpha_composite(white, image).convert("RGB"))


def write(name: str, file: bytes, pixels: np.ndarray) -> None:
    (OUT / name).write_bytes(file)
    (OUT / f"{name}.rgb").write_bytes(pixels.tobytes())


inks = encode(Image.fromarray(pattern(4), "CMYK"), "JPEG", quality=95)
write("cmyk.jpg", inks, rgb(inks))
adobe = inks.index(b"\xff\xee")
ycck = bytearray(inks)
ycck[adobe + 15] = 2
write("ycck.jpg", bytes(ycck), rgb(bytes(ycck)))
plain = inks[:adobe] + inks[adobe + 16 :]
write("cmyk-without-adobe.jpg", plain, rgb(plain))

grey = Image.fromarray(pattern(1)[..., 0])
colour = Image.fromarray(pattern(3))
palette = colour.quantize(16)
bits = Image.fromarray(pattern(1)[..., 0] > 128)
for name, image in {"grey": grey, "palette": palette, "bits": bits}.items():
    file = encode(image, "PNG")
    write(f"{name}.png", file, rgb(file))
for name, image, options in (
    ("grey-alpha", Image.fromarray(pattern(2), "LA"), {}),
    ("alpha", Image.fromarray(pattern(4), "RGBA"), {}),
    ("palette-alpha", palette, {"transparency": bytes([0, 60, 128, 200] + [255] * 12)}),
    ("bits-key", bits, {"transparency": 0}),
    ("grey-key", grey, {"transparency": 40}),
    ("colour-key", colour, {"transparency": (0, 40, 80)}),
):
    file = encode(image, "PNG", **options)
    write(f"{name}.png", file, on_white(file))
# Pillow's own conversion of 16 bits to RGB gives white; scaled to 8 bits is what there is to see
deep = (np.arange(WIDTH * HEIGHT, dtype=np.uint32).reshape(HEIGHT, WIDTH) * 65535 // (WIDTH * HEIGHT - 1)).astype(np.uint16)
write("grey-16.png", encode(Image.fromarray(deep), "PNG"), np.repeat((deep >> 8).astype(np.uint8)[..., None], 3, -1))
