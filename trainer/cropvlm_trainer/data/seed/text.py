"""`data seed --method text`: boxes from an OCR alone, around the line that shows the answer.

No VLM, no GPU and no human box are needed.

Each picture's text is kept in a file as soon as it is read, so that a run that was killed goes on where it stopped.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from random import Random

from tqdm import tqdm

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.data.columns import Rejection
from cropvlm_trainer.data.seed.arguments import ROOM, TEXT
from cropvlm_trainer.data.seed.evidence import evidence
from cropvlm_trainer.data.seed.labels import label_questions
from cropvlm_trainer.data.seed.ocr import Reader, from_text, ocr_version, text_key, to_text
from cropvlm_trainer.data.seed.rows import check_some, seedable_rows, seeded, sort_out, write_rejected
from cropvlm_trainer.data.shards import LABEL, label_id, texts_beside
from cropvlm_trainer.files import to_lines, write_whole
from cropvlm_trainer.rows import target_votes

ROOM_X, ROOM_Y = 1.3, 2.2
"""By what the sides of a line are multiplied at least, so that a box that is a little off still holds it."""


def seed_text(args: argparse.Namespace) -> None:
    """Writes the rows of `args.manifest` whose answer stands in the picture to `args.out`, the others beside it.

    Raises FileNotFoundError for missing files, and ValueError for rows that cannot be used, for an OCR that is not
    installed, and where no row gets a box (`check_some`), in which case `args.out` is not written.
    """
    ocr_version()
    rows = seedable_rows(args.manifest, args.out, ("answers",), args.shard)
    texts = _read_all(args.manifest.parent, [row["image"] for row in rows], args.out, args.workers)
    done, rejected = sort_out(rows, lambda _, row: _with_box(row, texts[row["image"]], args.room))
    done += _about_labels(texts, args.labels or 0, args.room)
    rejected_path, reasons = write_rejected(args.out, rejected)
    check_some(
        done,
        args.shard,
        f"no row got a box ({reasons}; see {rejected_path}): the answers do not stand in the pictures, so this method "
        "cannot seed this data; use --method grid or vlm",
    )
    write_whole(args.out, to_lines(done))
    labels = sum(row.get("kind") == LABEL for row in done)
    more = f", and {labels} about labels" if labels else ""
    print(f"{args.out}: {len(done) - labels} of {len(rows)} rows have a box{more}")
    if rejected:
        print(f"  {len(rejected)} rejected ({reasons}; see {rejected_path})")


def room_around(line: Rect, room: Sequence[float] = ROOM) -> Rect:
    """Returns the seed box for a line: about its centre, with room on each side, cut off at the page's edges.

    `room`: by how many per cent of the page it is wider than the line at least, and how high it is at least.
    """
    x1, y1, x2, y2 = line
    width, height = max(ROOM_X * (x2 - x1), x2 - x1 + room[0]), max(ROOM_Y * (y2 - y1), room[1])
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return max(0.0, x - width / 2), max(0.0, y - height / 2), min(100.0, x + width / 2), min(100.0, y + height / 2)


def _with_box(row: dict, text: str | Rejection, room: Sequence[float]) -> dict:
    """Returns the row with its box. Raises Rejection where the picture or the answer in it cannot be read."""
    if isinstance(text, Rejection):
        raise text
    ocr, lines = from_text(text)
    if not lines:
        raise Rejection("no text in the picture")
    line = evidence(target_votes(row["answers"]), lines)
    if line is None:
        raise Rejection("answer not in the text", f"none of {row['answers']} stands in the {len(lines)} lines read")
    return seeded(row, room_around(line.box, room), {"method": TEXT, "ocr": ocr, "line": list(line.box)})


def _about_labels(texts: dict[str, str | Rejection], most: int, room: Sequence[float]) -> list[dict]:
    """Returns rows that ask for labels of the pictures, at most so many a picture, drawn evenly from those it has."""
    rows = []
    for image, text in texts.items():
        if most == 0 or isinstance(text, Rejection):
            continue
        ocr, lines = from_text(text)
        found = label_questions(lines)
        for number, asked in enumerate(Random(image).sample(found, min(most, len(found)))):
            row = {"id": label_id(image, number), "kind": LABEL, "image": image, "question": asked.question}
            how = {"method": TEXT, "ocr": ocr, "line": list(asked.line.box)}
            rows.append(seeded({**row, "answers": [asked.answer]}, room_around(asked.line.box, room), how))
    return rows


def _read_all(folder: Path, images: Sequence[str], out: Path, workers: int | None) -> dict[str, str | Rejection]:
    """Returns each picture's text as `to_text` has it, or why it cannot be read; reads what earlier runs did not."""
    cache = AnswerCache(texts_beside(out))
    keys = {image: text_key(folder / image) for image in dict.fromkeys(images)}
    if cache.count:
        print(f"the text of {cache.count} pictures is in {cache.path}")
    lacking = [image for image, key in keys.items() if cache.get(key) is None]
    unread: dict[str, Rejection] = {}
    with tqdm(total=len(keys), initial=len(keys) - len(lacking), desc="pictures") as bar:
        for image, text in _texts(folder, lacking, workers or os.cpu_count() or 1):
            if isinstance(text, Rejection):
                unread[image] = text
                print(text, file=sys.stderr)
            else:
                cache.add(keys[image], text)
            bar.update()
    return {image: unread[image] if image in unread else cache.get(key) for image, key in keys.items()}


def _texts(folder: Path, images: Sequence[str], workers: int) -> Iterator[tuple[str, str | Rejection]]:
    """Yields each picture's name and text as they are read, by processes of one thread each."""
    if not images:
        return
    # A forked process would have the threads of this one's libraries in an unknown state.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(images)), mp_context=spawn) as pool:
        asked = {pool.submit(_text, folder / image): image for image in images}
        try:
            for future in as_completed(asked):
                yield asked[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_reader: Reader | None = None


def _text(path: Path) -> str | Rejection:
    """Reads one picture in a process of the pool, which keeps its OCR."""
    global _reader
    _reader = _reader or Reader()
    try:
        return to_text(ocr_version(), _reader(path))
    except (FileNotFoundError, ValueError) as error:
        return Rejection("undecodable image", str(error))
