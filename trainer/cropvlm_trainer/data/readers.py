"""Reads the rows of one source from any position on: Hugging Face data sets, and data sets in our own format."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Protocol

from cropvlm_trainer.data.columns import Raw
from cropvlm_trainer.data.sources import KNOWN, OWN, Source
from cropvlm_trainer.rows import read_rows


class Reader(Protocol):
    total: int | None
    """The number of rows, where it is known before they are read."""

    def rows(self, taken: int, state: dict | None) -> Generator[Raw]:
        """Yields the rows after the first `taken`. `state` is what `state()` returned after those rows."""

    def state(self) -> dict | None:
        """Returns the position after the last row that was read, as JSON values."""


def open_reader(source: Source, split: str, revision: str | None) -> Reader:
    return OwnReader(source) if source.name == OWN else DatasetReader(source, split, revision)


def pin(source: Source) -> str | None:
    """Returns the hub's current commit of the source, so that a build that goes on later reads the same rows.

    None for local files. Raises FileNotFoundError where the hub does not give the data set.
    """
    if source.local:
        return None
    import httpx
    from huggingface_hub import HfApi

    try:
        return HfApi().dataset_info(source.location).sha
    except (httpx.HTTPError, OSError) as error:
        raise FileNotFoundError(
            f"the Hugging Face hub does not give {source.location} ({error}): check the id and the network, "
            f"or give a local copy, as --source {source.name}=FOLDER"
        ) from error


class DatasetReader:
    """Parquet files in the columns of a known data set. They are streamed, and not stored in `datasets`' cache."""

    def __init__(self, source: Source, split: str, revision: str | None) -> None:
        import datasets
        import httpx

        self.source, self.columns = source, KNOWN[source.name].columns
        where = f"{source.name}, split {split} of {source.location}"
        try:
            stream = _load(source, split, revision)
        except (ValueError, OSError, httpx.HTTPError) as error:
            raise ValueError(f"{where}, cannot be opened ({error}): check --split and the files there") from error
        there = stream.column_names or list(next(iter(stream)))
        missing = [name for name in self.columns.needed() if name not in there and name != self.columns.source_id]
        if missing:
            raise ValueError(f"{where}, has no column {', '.join(missing)} (it has {', '.join(there)}): give another")
        self.stream = stream.select_columns([name for name in self.columns.needed() if name in there])
        # Without decoding, `image` has the file's own bytes, which the image store keeps unchanged.
        self.stream = self.stream.cast_column("image", datasets.Image(decode=False))
        split_info = (stream.info.splits or {}).get(split)
        self.total: int | None = split_info.num_examples if split_info else None

    def rows(self, taken: int, state: dict | None) -> Generator[Raw]:
        import httpx

        if state:
            self.stream.load_state_dict(state)
        row = taken
        try:
            for row, fields in enumerate(self.stream, start=taken):
                yield self._raw(row, fields)
        except (httpx.HTTPError, OSError) as error:
            where = f"{self.source.location} broke off near row {row} of {self.source.name}"
            raise ValueError(f"{where} ({error}): run the same command again to go on from there") from error

    def state(self) -> dict | None:
        return self.stream.state_dict()

    def _raw(self, row: int, fields: dict) -> Raw:
        image = fields["image"]
        source_id = fields.get(self.columns.source_id) if self.columns.source_id else None
        return Raw(
            self.source.name,
            row,
            fields["question"],
            fields[self.columns.answers],
            image["bytes"] if image else None,
            source_id,
        )


def _load(source: Source, split: str, revision: str | None):
    from datasets import load_dataset

    if source.local and Path(source.location).is_file():
        return load_dataset("parquet", data_files={split: source.location}, split=split, streaming=True)
    files = {split: f"{source.folder}/{split}-*"} if source.folder else None
    return load_dataset(
        source.location, name=source.config, data_files=files, revision=revision, split=split, streaming=True
    )


class OwnReader:
    """A JSONL file with images beside it, as `data synth` and `data build` write them."""

    FIELDS = ("id", "source", "source_id", "image", "question", "answers", "box")

    def __init__(self, source: Source) -> None:
        self.folder = Path(source.location).parent
        self.all_rows = read_rows(Path(source.location))
        self.total: int | None = len(self.all_rows)

    def rows(self, taken: int, state: dict | None) -> Generator[Raw]:
        for row, fields in enumerate(self.all_rows[taken:], start=taken):
            image = self.folder / str(fields["image"]) if fields.get("image") else None
            yield Raw(
                _source_of(fields),
                row,
                fields.get("question"),
                fields.get("answers"),
                image.read_bytes() if image and image.is_file() else None,
                fields.get("source_id", fields.get("id")),
                fields.get("box"),
                {key: value for key, value in fields.items() if key not in self.FIELDS},
            )

    def state(self) -> dict | None:
        return None


def _source_of(fields: dict) -> str:
    """Returns the row's `source`, which decides by which measure its answers are scored.

    Rows of `data synth` have none and are known by their ids. All others without one get the source "jsonl".
    """
    synthetic = str(fields.get("id")).startswith("synth-")
    return str(fields.get("source") or ("synth" if synthetic else OWN))
