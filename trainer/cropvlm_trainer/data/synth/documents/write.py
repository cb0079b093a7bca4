"""Writes documents as a data set: pictures, rows with seed boxes, and the text of each picture as an OCR would have it.

The same seed, fonts and Pillow give the same bytes, whatever the number of workers.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL
from PIL import features
from tqdm import tqdm

from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.data.seed.arguments import ROOM
from cropvlm_trainer.data.seed.ocr import text_key, to_text
from cropvlm_trainer.data.seed.rows import seeded
from cropvlm_trainer.data.seed.text import room_around
from cropvlm_trainer.data.shards import LABEL
from cropvlm_trainer.data.synth.documents.fonts import Fonts, find_fonts
from cropvlm_trainer.data.synth.documents.pages import KINDS, make_document
from cropvlm_trainer.files import to_lines, write_json, write_whole
from cropvlm_trainer.rows import DATASET

DRAWN = "drawn"
"""The method of the seed boxes."""
TEXTS, RECORD = Path(DATASET).with_suffix(".text.jsonl").name, "synth.json"
"""The lines of each picture, as `data seed --method text` keeps them; and what the bytes depend on."""
AT_ONCE = 8
"""documents that a worker draws for each message"""


class Written(NamedTuple):
    rows: list[dict]
    key: str
    text: str


@dataclass(frozen=True)
class Recipe:
    out: Path
    seed: int
    fonts: Fonts
    kinds: tuple[str, ...] = KINDS
    questions: int = 16
    """a page, at most"""
    room: tuple[float, float] = ROOM
    """around a line, as `room_around` takes it"""


def write(
    out: Path,
    n: int,
    seed: int,
    kinds: Sequence[str],
    questions: int,
    fonts: Sequence[Path],
    workers: int,
    room: Sequence[float] = ROOM,
) -> None:
    """Writes `n` documents into the folder `out`, with fonts from the folders `fonts` and `room` around each line.

    Raises ValueError where `out` already holds a data set, and FileNotFoundError where no fonts are found.
    """
    dataset = out / DATASET
    if dataset.exists():
        raise ValueError(f"{dataset} already exists; choose another --out or remove it")
    found = find_fonts(fonts)
    if found.lacking:
        print(f"drawn without the fonts of Debian's {', '.join(found.lacking)}", file=sys.stderr)
    (out / "images").mkdir(parents=True, exist_ok=True)
    # What a run that was killed had written.
    (out / TEXTS).unlink(missing_ok=True)
    cache, rows = AnswerCache(out / TEXTS), []
    recipe = Recipe(out, seed, found, tuple(kinds), questions, (room[0], room[1]))
    for written in tqdm(_all(recipe, n, workers), total=n, desc="pages", unit="page"):
        rows += written.rows
        cache.add(written.key, written.text)
    write_json(out / RECORD, _record(recipe, n))
    write_whole(dataset, to_lines(rows))


def _all(recipe: Recipe, n: int, workers: int) -> Iterator[Written]:
    draw = partial(_draw, recipe)
    if workers == 1:
        yield from map(draw, range(n))
        return
    # A forked process would have the threads of this one's libraries in an unknown state.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        try:
            yield from pool.map(draw, range(n), chunksize=AT_ONCE)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _draw(recipe: Recipe, index: int) -> Written:
    document = make_document(recipe.seed, index, recipe.fonts, recipe.kinds)
    name = f"images/{index:06d}.jpg"
    (recipe.out / name).write_bytes(document.jpeg)
    rows = []
    for number, (asked, line) in enumerate(document.asked[: recipe.questions]):
        row = {
            "id": f"documents-{recipe.seed}-{index:06d}-{number}",
            "kind": LABEL if asked.is_label else document.kind,
            "document": document.kind,
            "image": name,
            "question": asked.question,
            "answers": [asked.answer],
        }
        if asked.field:
            row["field"] = asked.field
        rows.append(seeded(row, room_around(line, recipe.room), {"method": DRAWN, "line": list(line)}))
    return Written(rows, text_key(recipe.out / name), to_text(DRAWN, list(document.lines)))


def _record(recipe: Recipe, n: int) -> dict:
    libraries = {name: features.version(name) for name in ("freetype2", "libjpeg_turbo")}
    return {
        "style": "documents",
        "pages": n,
        "seed": recipe.seed,
        "kinds": list(recipe.kinds),
        "questions": recipe.questions,
        "room": list(recipe.room),
        "same_bytes_with": {
            "pillow": PIL.__version__,
            "numpy": np.__version__,
            **libraries,
            "fonts": recipe.fonts.hashes(),
        },
    }


def default_workers() -> int:
    return os.cpu_count() or 1
