"""The data sets that `data build` knows, and the places from which they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cropvlm_trainer.data.columns import Columns
from cropvlm_trainer.rows import DATASET

OWN = "jsonl"
"""The name of sources that are data sets in our own format: a JSONL file with its images beside it."""


@dataclass(frozen=True)
class Known:
    hub_id: str
    columns: Columns
    config: str | None = None
    """The config's name on the hub, which is also the name of the folder with its files."""


KNOWN = {
    "textvqa": Known("lmms-lab/textvqa", Columns(source_id="question_id")),
    "docvqa": Known("lmms-lab/DocVQA", Columns(source_id="questionId"), "DocVQA"),
    "infographicvqa": Known("lmms-lab/DocVQA", Columns(source_id="questionId"), "InfographicVQA"),
    "stvqa": Known("danjacobellis/stvqa_task1", Columns(answers="answer")),
}
NAMES = (*KNOWN, OWN)


@dataclass(frozen=True)
class Source:
    name: str
    location: str
    """An id on the hub, or the absolute path of a folder or file."""
    config: str | None
    folder: str | None
    """The folder in `location` with the config's files; None where `datasets` finds the splits by itself."""
    files: dict[str, int | str] | None
    """A local source's files with their sizes, or the sha256 of a JSONL file, to notice that they have changed.

    None for a source on the hub, which has revisions.
    """

    @property
    def local(self) -> bool:
        return self.files is not None


def parse_sources(texts: Sequence[str]) -> list[Source]:
    """Parses texts of the form `NAME`, `NAME=PATH` or `NAME=HUB_ID[:CONFIG]`.

    Raises ValueError for an unknown name and for one given twice (only `jsonl` may be), FileNotFoundError for a path
    that does not exist.
    """
    sources = [_parse(text) for text in texts]
    names = [source.name for source in sources if source.name != OWN]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"--source {twice[0]} is given twice: put its files into one folder, or build two sets")
    return sources


def _parse(text: str) -> Source:
    name, _, place = text.partition("=")
    if name not in NAMES:
        raise ValueError(f"--source {text}: {name} is not known; give {', '.join(NAMES)}, as docvqa=PATH_OR_HUB_ID")
    path = Path(place).expanduser()
    if place and path.exists():
        return _own(path.resolve()) if name == OWN else _local(name, path.resolve())
    if name == OWN:
        raise FileNotFoundError(f"--source {text}: give the path of a manifest, as {OWN}=pages/manifest.jsonl")
    known = KNOWN[name]
    hub_id, _, config = place.partition(":")
    if place.startswith((".", "/", "~")) or hub_id.count("/") > 1 or place.endswith(".parquet"):
        raise FileNotFoundError(f"--source {text}: there is no {place}; give a folder, a parquet file or a hub id")
    if not place or place == known.hub_id:
        # By folder and not by config: lmms-lab/DocVQA holds train files that its configs do not list.
        return Source(name, known.hub_id, known.config, known.config, None)
    return Source(name, hub_id, config or None, None, None)


def _local(name: str, path: Path) -> Source:
    if path.is_file():
        return Source(name, str(path), None, None, {path.name: path.stat().st_size})
    files = {str(p.relative_to(path)): p.stat().st_size for p in sorted(path.rglob("*.parquet"))}
    if not files:
        raise FileNotFoundError(f"--source {name}={path}: no parquet files in that folder; fetch the set's into it")
    config = KNOWN[name].config
    # A copy of a hub repository may hold two data sets; only this one's folder is read.
    folder = config if config and (path / config).is_dir() else None
    return Source(name, str(path), None, folder, files)


def _own(path: Path) -> Source:
    dataset = path / DATASET if path.is_dir() else path
    if not dataset.is_file():
        raise FileNotFoundError(f"--source {OWN}={path}: no manifest.jsonl in that folder; give the manifest's path")
    return Source(OWN, str(dataset), None, None, {dataset.name: sha256(dataset.read_bytes()).hexdigest()})
