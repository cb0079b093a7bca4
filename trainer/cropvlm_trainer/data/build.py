"""`data build`: public sets and manifests of ours into one manifest and one image folder.

Rows are written part by part under `parts/`; a part appears whole, with where its source stands, so a build that was
killed goes on after its last one. The manifest is made from the parts at the end, which then go.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from cropvlm_trainer.data.images import ImageStore
from cropvlm_trainer.data.merge import merge
from cropvlm_trainer.data.parts import collect, read_part
from cropvlm_trainer.data.readers import pin
from cropvlm_trainer.data.report import report, summary
from cropvlm_trainer.data.sources import Source, parse_sources
from cropvlm_trainer.rows import to_lines, write_whole


def build(out: Path, source_texts: list[str], split: str, limit: int | None, shard_size: int) -> None:
    """Writes `manifest.jsonl`, `rejected.jsonl`, `build.json` and `images/` into `out`, or goes on doing so.

    `limit`: the first rows of each source; None for all. `shard_size`: rows a part, which is what a kill loses at
    most. Raises ValueError where `out` holds another set or no row is usable.
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
        write_whole(out / "build.json", json.dumps(state, indent=2).encode() + b"\n")
    if parts.exists():
        shutil.rmtree(parts)
    print(report(out, state["counts"]))


def _claim(out: Path, request: dict, sources: list[Source]) -> dict:
    """What `build.json` says of this request; written, with the hub's revisions of now, where there is none."""
    path = out / "build.json"
    if path.exists():
        state = json.loads(path.read_text(encoding="utf-8"))
        if state["request"] != request:
            raise ValueError(
                f"{out} holds a set built from other sources or options ({path} names them): choose another --out, "
                "give the same ones (unchanged files included) to go on with it, or remove the folder"
            )
        if "counts" in state and not (out / "manifest.jsonl").is_file():
            raise ValueError(f"{out} is a finished set without its manifest.jsonl: remove the folder and build anew")
        return state
    if (out / "manifest.jsonl").exists():
        raise ValueError(f"{out} holds a set that was not built here; choose another --out or remove it")
    state = {"request": request, "revisions": [pin(source) for source in sources]}
    out.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(state, indent=2).encode() + b"\n")
    return state


def _assemble(out: Path, parts: list[Path]) -> dict:
    entries = [entry for part in parts for entry in read_part(part)]
    found = [entry["row"] for entry in entries if "row" in entry]
    rejected = [entry["rejected"] for entry in entries if "rejected" in entry]
    rows, dropped = merge(found)
    write_whole(out / "rejected.jsonl", to_lines(rejected))
    if not rows:
        raise ValueError(f"no row can be used; {out / 'rejected.jsonl'} says why: mend the source and remove {out}")
    write_whole(out / "manifest.jsonl", to_lines(rows))
    return summary(found, rows, dropped, rejected)
