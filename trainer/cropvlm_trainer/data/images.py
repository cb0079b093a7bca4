"""The image folder of a data set: each image is stored once, in a file named by the hash of its bytes."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from cropvlm_trainer.data.columns import Rejection
from cropvlm_trainer.files import replacing
from cropvlm_trainer.pictures import BROKEN, decoded, reason

KEPT = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}
"""Formats that the service reads, whose files are stored unchanged. An MPO is a JPEG followed by further images."""
READ = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000")
"""Formats that are accepted. Pillow reads more, but its EPS decoder runs Ghostscript on the file."""
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
"""Pillow's modes that a PNG can hold; images in other modes are stored as `decoded` gives them, RGB."""


class ImageStore:
    """Stores images as `out/images/<two digits>/<sha256>.<format>`. Unfinished files are in the folder `drafts`."""

    def __init__(self, out: Path, drafts: Path) -> None:
        self.out, self.drafts = out, drafts
        self._known: dict[bytes, str] = {}

    def add(self, data: bytes | None) -> str:
        """Stores an encoded image and returns its path relative to `out`.

        Raises Rejection where there is no image, or not all of its pixels can be decoded.
        """
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
            with replacing(path, self.drafts) as draft:
                draft.write_bytes(encoded)
        return name


def _checked(data: bytes) -> tuple[bytes, str]:
    """Decodes the image completely; returns the bytes to store and their file's suffix."""
    try:
        image = Image.open(BytesIO(data), formats=READ)
        image.load()
        if image.format in KEPT:
            return data, KEPT[image.format]
        # The first frame, upright, as the service and `open_picture` see an image.
        image = ImageOps.exif_transpose(image) if image.mode in PNG_MODES else decoded(image)
        png = BytesIO()
        image.save(png, "PNG")
        return png.getvalue(), "png"
    except BROKEN as error:
        raise Rejection("undecodable image", reason(error)) from error
