"""Reads the text of a picture with an OCR that people have: RapidOCR (PyPI `rapidocr`, Apache-2.0), which runs PP-OCR.

Its models are in its package: nothing is downloaded, and no GPU is needed.
"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cropvlm_trainer.data.seed.evidence import Line
from cropvlm_trainer.files import sha256_of
from cropvlm_trainer.pictures import open_picture

PACKAGE = "rapidocr"
MAX_SIDE = 2000
"""Pixels: a longer side is shrunk to this, as RapidOCR does by default (`Global.max_side_len`)."""
_QUIET = "critical"


def ocr_version() -> str:
    """Returns the OCR's name and version. Raises ValueError where it is not installed."""
    try:
        return f"{PACKAGE} {version(PACKAGE)}"
    except PackageNotFoundError as error:
        raise ValueError(
            "what reads pictures here is RapidOCR, which is not installed; install the trainer with it: "
            "pip install 'cropvlm-trainer[ocr]', or in its folder pip install -e '.[ocr]'"
        ) from error


class Reader:
    """An OCR in this process, on `threads` threads; loading it takes seconds."""

    def __init__(self, threads: int = 1, enlarges: bool = True) -> None:
        """`enlarges`: whether lines are looked for in the picture with its shorter side enlarged to 736 pixels.

        Of a whole page that finds more lines; of a narrow crop it makes a picture of thousands of pixels.
        """
        from rapidocr import RapidOCR

        threads_of = "EngineConfig.onnxruntime.intra_op_num_threads"
        as_it_is = {} if enlarges else {"Det.limit_type": "max", "Det.limit_side_len": MAX_SIDE}
        self._ocr = RapidOCR(
            params={"Global.log_level": _QUIET, "Global.use_cls": False, threads_of: threads, **as_it_is}
        )

    def __call__(self, path: Path) -> list[Line]:
        """Returns the lines of a picture in reading order. Raises what `open_picture` raises."""
        return self.read(open_picture(path))

    def read(self, picture: Image.Image) -> list[Line]:
        """Returns the lines of an RGB picture in reading order."""
        # The OCR takes the channels in the order of OpenCV.
        read = self._ocr(np.asarray(picture)[:, :, ::-1])
        if read.boxes is None:
            return []
        corners = np.asarray(read.boxes, dtype=np.float64) * 100 / picture.size
        low, high = corners.min(axis=1).clip(0, 100), corners.max(axis=1).clip(0, 100)
        boxes = np.concatenate([low, high], axis=1).round(2).tolist()
        return [
            Line((x1, y1, x2, y2), text)
            for (x1, y1, x2, y2), text in zip(boxes, read.txts, strict=True)
            if x2 > x1 and y2 > y1 and text.strip()
        ]


def text_key(path: Path) -> str:
    """Returns the key under which a picture's text is kept: a hash of the file's content."""
    return sha256_of([path])


def to_text(ocr: str, lines: list[Line]) -> str:
    """Returns the lines, and which OCR read them, as JSON to be kept in a file."""
    return json.dumps({"ocr": ocr, "lines": [[*line.box, line.text] for line in lines]}, ensure_ascii=False)


def from_text(text: str) -> tuple[str, list[Line]]:
    """Returns what `to_text` was given."""
    kept: dict[str, Any] = json.loads(text)
    return kept["ocr"], [Line((x1, y1, x2, y2), words) for x1, y1, x2, y2, words in kept["lines"]]
