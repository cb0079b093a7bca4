"""Which longest edges of an image a model can see."""

from __future__ import annotations

from cropvlm_trainer.idefics3.tokenizer import MAX_GRID


def check_resolution(name: str, resolution: int, tile: int) -> None:
    """Raises ValueError unless images with this longest edge can be cut into tiles of `tile` pixels, both in pixels.

    `name` is what the message calls the option.
    """
    if resolution % tile:
        raise ValueError(f"{name} {resolution} must be a multiple of the model's tiles, {tile} pixels")
    if resolution > MAX_GRID * tile:
        raise ValueError(f"{name} {resolution} is too large: the model's tiles have names up to {MAX_GRID * tile}")
