"""The sets that `data build` knows, and where one of them is to be read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cropvlm_trainer.data.columns import Columns

OWN = "jsonl"
"""A manifest of ours, with its images beside it."""


@dataclass(frozen=True)
class Known:
    hub_id: str
    columns: Columns
    config: str | None = None
    """The hub's config, which is also the folder in which its files lie."""


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
    """A hub id, or the absolute path of a folder or file."""
    config: str | None
    folder: str | None
    """The folder at the location that holds the config's files; None where the location itself tells the splits."""
    files: dict[str, int | str] | None
    """Of a local source: its files with their sizes (a manifest: its hash). None for the hub, which has revisions."""

    @property
    def local(self) -> bool:
        return self.files is not None


def parse_sources(texts: Sequence[str]) -> list[Source]:
    """`NAME`, `NAME=PATH` or `NAME=HUB_ID[:CONFIG]` each; raises ValueError or FileNotFoundError.

    Only `jsonl` may come more than once.
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
        # The files by folder, not by config alone: lmms-lab/DocVQA holds its train files but no longer lists them.
        return Source(name, known.hub_id, known.config, known.config, None)
    return Source(name, hub_id, config or None, None, None)


def _local(name: str, path: Path) -> Source:
    if path.is_file():
        return Source(name, str(path), None, None, {path.name: path.stat().st_size})
    files = {str(p.relative_to(path)): p.stat().st_size for p in sorted(path.rglob("*.parquet"))}
    if not files:
        raise FileNotFoundError(f"--source {name}={path}: no parquet files in that folder; fetch the set's into it")
    config = KNOWN[name].config
    # A copy of a hub repository that holds two sets: only this one's folder.
    folder = config if config and (path / config).is_dir() else None
    return Source(name, str(path), None, folder, files)


def _own(path: Path) -> Source:
    manifest = path / "manifest.jsonl" if path.is_dir() else path
    if not manifest.is_file():
        raise FileNotFoundError(f"--source {OWN}={path}: no manifest.jsonl in that folder; give the manifest's path")
    return Source(OWN, str(manifest), None, None, {manifest.name: sha256(manifest.read_bytes()).hexdigest()})
