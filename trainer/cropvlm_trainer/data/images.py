"""The image folder of a set: every picture once, under the hash of its bytes."""

from __future__ import annotations

import os
import struct
import zlib
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from cropvlm_trainer.data.columns import Rejection

KEPT = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}
"""Formats that the service reads (an MPO is a JPEG with more pictures behind it): bytes kept as they are."""
READ = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000")
"""Not all that Pillow reads: its EPS decoder starts Ghostscript."""
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
# What Pillow's decoders are known to raise on broken files.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error, zlib.error)


class ImageStore:
    """Puts images into `out/images/<two digits>/<sha256>.<format>`; `drafts` is where unfinished files lie."""

    def __init__(self, out: Path, drafts: Path) -> None:
        self.out, self.drafts = out, drafts
        self._known: dict[bytes, str] = {}

    def add(self, data: bytes | None) -> str:
        """The path of this image relative to the folder; raises Rejection where it cannot be decoded whole."""
        if not data:
            raise Rejection("no image")
        key = sha256(data).digest()
        if key not in self._known:
            self._known[key] = self._store(data)
        return self._known[key]

    def _store(self, data: bytes) -> str:
        encoded, suffix = _checked(data)
        digest = sha256(encoded).hexdigest()
        name = f"images/{digest[:2]}/{digest}.{suffix}"
        path = self.out / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = self.drafts / "image.tmp"
            draft.write_bytes(encoded)
            os.replace(draft, path)
        return name


def _checked(data: bytes) -> tuple[bytes, str]:
    """The bytes to store and their file suffix, after every pixel of the image has been decoded once."""
    try:
        image = Image.open(BytesIO(data), formats=READ)
        image.load()
        if image.format in KEPT:
            return data, KEPT[image.format]
        # As the service and `load_image` see it: the first frame, upright.
        image = ImageOps.exif_transpose(image)
        if image.mode not in PNG_MODES:
            image = image.convert("RGB")
        png = BytesIO()
        image.save(png, "PNG")
        return png.getvalue(), "png"
    except (*BROKEN, Image.DecompressionBombError) as error:
        raise Rejection("undecodable image", str(error) or type(error).__name__) from error
