"""Normalisation inside the vision graph: bytes -> `(byte * rescale - mean) / std`, in float32.

The engine then hands a tile to onnxruntime as the bytes that an image consists of, a quarter of the size of floats.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cropvlm_trainer.export.graphs.graph import Graph
from cropvlm_trainer.files import read_json

FILE = "preprocessor_config.json"
EXACT = "pixels."
"""How the names of the constants begin that stay float32 in every precision."""

NORMALISED = "pixels.normalised"
"""The name of the normalised pixels, [tiles, 3, S, S]: the first value that is not float32 in every precision."""


@dataclass(frozen=True)
class Normalisation:
    """The constants of one image processor; `mean` and `std` for each channel, red first."""

    rescale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def planes(self, tiles: np.ndarray) -> np.ndarray:
        """Normalises uint8 [tiles, S, S, 3] -> f32 [tiles, 3, S, S], rounded at each step as transformers rounds."""
        mean, std = np.float32(self.mean), np.float32(self.std)
        values = ((tiles * self.rescale).astype(np.float32) - mean) / std
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2))

    def add(self, graph: Graph, pixels: str) -> str:
        """Adds nodes that give what `planes` gives, bit by bit, and returns the name of their output, NORMALISED.

        Bytes are divided by 1 / rescale: `byte / 255` is rounded once, as in `planes`, and `byte * float32(1 / 255)`
        twice. Raises ValueError for a `rescale` with which the division gives other values.
        """
        divisor = np.float32(1 / self.rescale)
        bytes_ = np.arange(256, dtype=np.uint8)
        if not np.array_equal(bytes_.astype(np.float32) / divisor, (bytes_ * self.rescale).astype(np.float32)):
            raise ValueError(
                f"`rescale_factor` {self.rescale} in {FILE} cannot be exported exactly; use 1 / 255 = {1 / 255}"
            )
        # Transposed as bytes, which are fewer than floats. With the channels apart, mean and std are constant over long
        # stretches of memory.
        x = graph.op("Transpose", pixels, perm=[0, 3, 1, 2])
        x = graph.op("Cast", x, to=1)
        x = graph.op("Div", x, graph.weight(f"{EXACT}divisor", torch.tensor(float(divisor))))
        x = graph.op("Sub", x, graph.weight(f"{EXACT}mean", torch.tensor(self.mean).reshape(1, 3, 1, 1)))
        std = graph.weight(f"{EXACT}std", torch.tensor(self.std).reshape(1, 3, 1, 1))
        return graph.op("Div", x, std, outputs=[NORMALISED])


def normalisation(config: dict) -> Normalisation:
    """The constants in what `preprocessor_config.json` holds.

    Raises ValueError for a processor without resizing, rescaling or normalisation, as the service does.
    """
    for step in ("do_resize", "do_rescale", "do_normalize"):
        if config.get(step) is False:
            raise ValueError(f"`{step}` is false in {FILE}; an Idefics3 processor has it on, set it to true")
    mean, std = (tuple(float(value) for value in config[key]) for key in ("image_mean", "image_std"))
    return Normalisation(float(config.get("rescale_factor", 1 / 255)), mean, std)


def read_normalisation(folder: Path) -> Normalisation:
    """The constants of a model folder."""
    return normalisation(read_json(folder / FILE))
