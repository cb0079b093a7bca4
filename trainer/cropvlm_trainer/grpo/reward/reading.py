"""What a process that reads does: it cuts a crop, and lets a function read it. It does without torch."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import wait

from PIL import Image

from cropvlm_trainer.data.seed.ocr import Reader
from cropvlm_trainer.own_function import import_function
from cropvlm_trainer.training.reward_config import OCR

Read = Callable[[Image.Image, Image.Image, str], str | None]
"""The image, the crop and the question -> what is read; None where it could not be read."""
Pixels = tuple[int, int, int, int]

_read: Read | None = None
_name = ""


def begin_reading(function: str) -> None:
    """Loads what `ReaderReward.function` names, in a process that ends with its parent."""
    global _read, _name
    # Ctrl+C goes to all processes of a terminal; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
    _read, _name = load_reader(function), function


def load_reader(function: str) -> Read:
    """Returns what `ReaderReward.function` names. Raises ValueError as `import_function`."""
    if function != OCR:
        return import_function(function, "reward.function")
    ocr = Reader(enlarges=False)
    return lambda _image, crop, _question: "\n".join(line.text for line in ocr.read(crop))


def read_crop(image: Image.Image, pixels: Pixels, longest_edge: int | None, question: str) -> str | None:
    """Lets the function read the crop. Raises ValueError where it fails, or gives something else than a text."""
    try:
        text = _read(image, cut(image, pixels, longest_edge), question)
    except Exception as error:
        raise ValueError(f"reward.function = {_name!r} failed: {type(error).__name__}: {error}") from error
    if text is not None and not isinstance(text, str):
        raise ValueError(f"reward.function = {_name!r} gave {text!r}; it has to give a text, or None")
    return text


def cut(image: Image.Image, pixels: Pixels, longest_edge: int | None) -> Image.Image:
    """The part of the image inside these pixels, enlarged or shrunk to the longest edge; None leaves it as it is."""
    crop = image.crop(pixels)
    if longest_edge is None:
        return crop
    scale = longest_edge / max(crop.size)
    return crop.resize([max(1, round(side * scale)) for side in crop.size], Image.Resampling.LANCZOS)
