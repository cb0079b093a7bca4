"""What it costs a question to read its picture and to cut it into tiles, and how many cores keep a GPU busy.

`python bench/cutting.py [--tflops 100] [--out results/cutting.md]`. Times are CPU time of one core. Pictures are JPEGs
of a photo's size and of a scanned page's. The GPU takes a question's arithmetic (README.md) at so many TFLOP/s; a
stage needs as many `workers` as cut questions as fast as it trains them.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cropvlm_trainer.data.seed.search import rectangles
from cropvlm_trainer.data.synth.dataset import make_page
from cropvlm_trainer.idefics3.image_processing import crop, tile_grid, tiles
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.training.stages import GrpoConfig

TILE, REWARD_EDGE, QUESTIONS = 512, 512, 62_000
SIZES = {"photo": (1024, 768), "scanned page": (1700, 2200)}
EDGES = (512, 1024, 2048)
ROUNDS = 5
SFT, GRPO, GRID = "sft", "grpo", "data seed --method grid"
TFLOP_A_TILE = 0.215
"""Forwards, at full size; three times that with the backward pass."""


class Row(NamedTuple):
    stage: str
    picture: str
    edge: str
    seconds: float
    """CPU time a question, on one core"""
    tflop: float
    """a question's arithmetic on the GPU"""


def picture(folder: Path, name: str, size: tuple[int, int]) -> Path:
    """A JPEG of this size: a drawn page with noise, so that it is as hard to decode as a photo."""
    pixels = np.asarray(make_page(1, 1)[0].image.resize(size)).astype(int)
    noise = np.random.default_rng(0).integers(-12, 13, pixels.shape)
    path = folder / f"{name}.jpg"
    Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8)).save(path, quality=85)
    return path


def seconds(work) -> float:
    """The median of the CPU time of this process over `ROUNDS` rounds."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return sorted(times)[ROUNDS // 2]


def work_of(path: Path, edge: int) -> dict:
    """What each stage does for a question, at this longest edge of the cropper's image."""
    boxes = [(10 * n, 10 * n, 10 * n + 40, 10 * n + 30) for n in range(GrpoConfig.group)]

    def sft() -> None:
        tiles(open_picture(path), edge, TILE)

    def grpo() -> None:
        image = open_picture(path)
        for each in {edge, REWARD_EDGE}:
            tiles(image, each, TILE)
        for box in boxes:
            tiles(crop(image, box), REWARD_EDGE, TILE)

    return {SFT: sft, GRPO: grpo}


def grid(path: Path) -> None:
    image = open_picture(path)
    tiles(image, REWARD_EDGE, TILE)
    for box in rectangles(5):
        tiles(crop(image, box), REWARD_EDGE, TILE)


def arithmetic(stage: str, size: tuple[int, int], edge: int) -> float:
    """TFLOP of a question on the GPU: tiles trained, tiles of the reference, and those of the reward VLM."""
    rows, columns = tile_grid(*size, edge, TILE)
    count = 1 if rows == columns == 1 else rows * columns + 1
    return TFLOP_A_TILE * (3 * count if stage == SFT else 4 * count + 1 + GrpoConfig.group)


def measured() -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            path = picture(Path(folder), name.replace(" ", "-"), size)
            for edge in EDGES:
                for stage, work in work_of(path, edge).items():
                    rows.append(Row(stage, name, str(edge), seconds(work), arithmetic(stage, size, edge)))
            views = 1 + len(rectangles(5))
            rows.append(Row(GRID, name, "any", seconds(lambda path=path: grid(path)), TFLOP_A_TILE * views))
    return sorted(rows, key=lambda row: (SFT, GRPO, GRID).index(row.stage))


def report(rows: list[Row], tflops: float) -> str:
    lines = [
        f"| stage | picture | longest edge | ms a question | hours for {QUESTIONS:,} on one core "
        f"| the same on the GPU at {tflops:g} TFLOP/s | cores that keep it busy |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        on_gpu = row.tflop / tflops
        times = [f"{1000 * row.seconds:.0f}", *(f"{QUESTIONS * each / 3600:.1f}" for each in (row.seconds, on_gpu))]
        cells = [row.stage, row.picture, row.edge, *times, str(math.ceil(row.seconds / on_gpu))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tflops", type=float, default=100, help="that the GPU sustains (default: 100)")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    found = report(measured(), args.tflops)
    print(found)
    if args.out:
        args.out.write_text(found + "\n", encoding="utf-8")
