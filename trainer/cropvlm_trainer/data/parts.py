"""The parts of a build: files with a line for each row, and a last line with the position that the source has reached.

A row's line is `{"row": ...}` or `{"rejected": ...}`, the last line is `{"end": ...}`.

A part is written to a draft and then renamed, so that a killed build leaves whole parts only.
"""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from cropvlm_trainer.data.columns import Raw, Rejection, answers_of, box_of, question_of
from cropvlm_trainer.data.images import ImageStore
from cropvlm_trainer.data.readers import open_reader
from cropvlm_trainer.data.sources import Source
from cropvlm_trainer.files import read_lines, replacing, to_line


def collect(
    source: Source, split: str, revision: str | None, limit: int | None, shard_size: int, store: ImageStore, stem: Path
) -> None:
    """Writes the parts of one source that do not exist yet, `<stem>-<number>.part`, and stores their images.

    `limit` is the number of rows to take from the source (None: all), `shard_size` the number of rows in a part.
    """
    done = sorted(stem.parent.glob(f"{stem.name}-*.part"))
    end = read_lines(done[-1])[-1]["end"] if done else {"taken": 0, "state": None, "last": False}
    if end["last"]:
        return
    number, taken = len(done), end["taken"]
    reader = open_reader(source, split, revision)
    total = min((count for count in (reader.total, limit) if count is not None), default=None)
    bar = tqdm(desc=source.name, unit="row", initial=taken, total=total)
    with closing(reader.rows(taken, end["state"])) as rows, bar:
        while not end["last"]:
            wanted = shard_size if limit is None else min(shard_size, limit - taken)
            part = Path(f"{stem}-{number:06d}.part")
            with replacing(part) as draft, draft.open("w", encoding="utf-8") as file:
                before = taken
                for raw in islice(rows, wanted):
                    file.write(to_line(_entry(raw, source, store)))
                    taken += 1
                    bar.update()
                last = taken - before < wanted or taken == limit
                end = {"taken": taken, "state": reader.state(), "last": last}
                file.write(to_line({"end": end}))
            number += 1


def _entry(raw: Raw, source: Source, store: ImageStore) -> dict:
    """Returns `{"row": ...}` for the data set, or `{"rejected": ...}` with the reason where the row cannot be used."""
    try:
        question, answers, box = question_of(raw), answers_of(raw), box_of(raw)
        # The image comes last, so that no image is stored for a row that is rejected for another reason.
        row = {"source": raw.source, "image": store.add(raw.image), "question": question, "answers": answers}
    except Rejection as rejection:
        place = {"source": raw.source, "location": source.location, "row": raw.row, "source_id": raw.source_id}
        why = {"reason": rejection.reason, "detail": str(rejection)}
        return {"rejected": {**place, "question": raw.question, **why}}
    ids = {} if raw.source_id is None else {"source_id": raw.source_id}
    return {"row": {**row, **ids, **({"box": box} if box else {}), **raw.extra}}
