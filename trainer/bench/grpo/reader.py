"""What the OCR reader's reward says of boxes of several sizes, and what a crop costs, by `longest_edge`.

    trainer/.venv/bin/python trainer/bench/grpo/reader.py --data receipts.jsonl --out trainer/results/reader.md

The data set (JSONL) has `lines`, the boxes of the lines that show each answer, in per cent. A box has the page's form
and lies about the first line that does, or as near as the page's edges allow.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import mean

from cropvlm_trainer.boxes import Box, to_box
from cropvlm_trainer.contract import to_pixels
from cropvlm_trainer.grpo.reward.reading import cut, load_reader
from cropvlm_trainer.metrics.contains import contains_anls
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.rows import read_rows
from cropvlm_trainer.training.reward_config import OCR

SHARES = (1.0, 0.4, 0.2, 0.08)
"""of the page"""
EDGES = (512, 320, 200)
"""pixels"""


def box_about(line: Sequence[float], share: float) -> Box:
    """Returns the box of this share of the page, in its form, about a line."""
    side = 100 * share**0.5
    x, y = (max(0.0, min(100 - side, (line[at] + line[at + 2] - side) / 2)) for at in (0, 1))
    return to_box((x, y, x + side, y + side))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="dev", help="the rows' `split`")
    parser.add_argument("--n", type=int, default=18, help="questions")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rows = [row for row in read_rows(args.data) if row["split"] == args.split][: args.n]
    read = load_reader(OCR)
    lines = []
    for edge in EDGES:
        rewards: list[list[float]] = [[] for _ in SHARES]
        started = time.process_time()
        for row in rows:
            image = open_picture(args.data.parent / row["image"])
            for share, found in zip(SHARES, rewards, strict=True):
                pixels = to_pixels(box_about(row["lines"][0], share), *image.size)
                text = read(image, cut(image, pixels, edge), row["question"])
                found.append(contains_anls(text or "", row["answers"]))
        seconds = (time.process_time() - started) / (len(rows) * len(SHARES))
        cells = [str(edge), *(f"{mean(found):.2f}" for found in rewards), f"{seconds:.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    heads = ["`longest_edge`", "the page", *(f"{share:.0%} of it" for share in SHARES[1:]), "s a crop"]
    text = f"""# What a reader's reward says of boxes

`python {" ".join(sys.argv)}`, {date.today()}, {os.cpu_count()} shared cores.

The mean of `contains_anls` of what RapidOCR reads in boxes about the answers of {len(rows)} questions, by the edge to
which a crop is enlarged or shrunk, and the processor time of a crop, with the picture's decoding.

| {" | ".join(heads)} |
|{"---|" * len(heads)}
""" + "".join(line + "\n" for line in lines)
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
