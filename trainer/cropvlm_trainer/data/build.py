"""`data build`: puts public data sets and the user's own into one data set with one image folder.

Rows are first written to files under `parts/`. Each part is written whole, together with the position that its source
has reached, so that a build that was killed goes on after its last part. At the end the parts become the data set and
are removed.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

from cropvlm_trainer.data.images import ImageStore
from cropvlm_trainer.data.merge import merge
from cropvlm_trainer.data.parts import collect
from cropvlm_trainer.data.readers import pin
from cropvlm_trainer.data.report import report, summary
from cropvlm_trainer.data.sources import Source, parse_sources
from cropvlm_trainer.files import read_json, read_lines, to_lines, write_json, write_whole
from cropvlm_trainer.rows import DATASET


def build(out: Path, source_texts: list[str], split: str, limit: int | None, shard_size: int) -> None:
    """Writes `manifest.jsonl`, `rejected.jsonl`, `build.json` and `images/` into `out`.

    A folder with an unfinished build of the same sources and options is finished. `limit`: take only that many rows of
    each source, None takes all. `shard_size`: rows in a part, the most that a kill loses.
    Raises ValueError where `out` holds another data set, a source cannot be read, or no row is usable, and
    FileNotFoundError for a source that is missing.
    """
    if shard_size < 1 or (limit is not None and limit < 1):
        raise ValueError("--shard-size and --limit count rows: give 1 or more")
    sources = parse_sources(source_texts)
    request = {"sources": [asdict(s) for s in sources], "split": split, "limit": limit, "shard_size": shard_size}
    state = _claim(out, request, sources)
    parts = out / "parts"
    if "counts" not in state:
        parts.mkdir(exist_ok=True)
        store = ImageStore(out, parts)
        for number, source in enumerate(sources):
            collect(source, split, state["revisions"][number], limit, shard_size, store, parts / f"{number:02d}")
        state["counts"] = _assemble(out, sorted(parts.glob("*.part")))
        write_json(out / "build.json", state)
    if parts.exists():
        shutil.rmtree(parts)
    print(report(out, state["counts"]))


def _claim(out: Path, request: dict, sources: list[Source]) -> dict:
    """Returns the content of `build.json`; where there is none, writes one with the hub's current revisions.

    Raises ValueError where `out` holds a data set of another request.
    """
    path = out / "build.json"
    if path.exists():
        state = read_json(path)
        if state["request"] != request:
            raise ValueError(
                f"{out} holds a set built from other sources or options ({path} names them): choose another --out, "
                "give the same ones (unchanged files included) to go on with it, or remove the folder"
            )
        if "counts" in state and not (out / DATASET).is_file():
            raise ValueError(f"{out} is a finished set without its manifest.jsonl: remove the folder and build anew")
        return state
    if (out / DATASET).exists():
        raise ValueError(f"{out} holds a set that was not built here; choose another --out or remove it")
    state = {"request": request, "revisions": [pin(source) for source in sources]}
    out.mkdir(parents=True, exist_ok=True)
    write_json(path, state)
    return state


def _assemble(out: Path, parts: list[Path]) -> dict:
    """Writes the data set and the rejected rows; returns the counts for `build.json`."""
    entries = [entry for part in parts for entry in read_lines(part)]
    found = [entry["row"] for entry in entries if "row" in entry]
    rejected = [entry["rejected"] for entry in entries if "rejected" in entry]
    rows, dropped = merge(found)
    write_whole(out / "rejected.jsonl", to_lines(rejected))
    if not rows:
        raise ValueError(f"no row can be used; {out / 'rejected.jsonl'} says why: mend the source and remove {out}")
    write_whole(out / DATASET, to_lines(rows))
    return summary(found, rows, dropped, rejected)
