"""Files of JSON and JSONL, and files that are replaced in one step, so that a kill never leaves a part of one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def read_json(path: Path) -> Any:
    """Returns the value in a JSON file. Raises FileNotFoundError without one, ValueError where it is not JSON."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON ({error}); write it anew, or remove it") from error


def read_text(path: Path) -> str:
    """Returns the text of a file. Raises FileNotFoundError without one, ValueError where it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8 ({error.reason}); write it anew, or remove it") from error


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file, whole."""
    write_whole(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def numbered_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Yields the number of each line of a JSONL file, from 1, and its value; blank lines are passed over.

    Raises FileNotFoundError without a file, ValueError for a line that is not JSON.
    """
    # Not splitlines, which also splits at U+2028 and similar characters that a JSON text may hold.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number} of {path} is not JSON ({error}); mend or remove it") from error


def read_lines(path: Path) -> list[Any]:
    """Returns the values in a JSONL file. Raises as `numbered_lines`."""
    return [value for _, value in numbered_lines(path)]


def to_line(value: Any) -> str:
    """Returns the line of a JSONL file that holds this value."""
    return json.dumps(value) + "\n"


def to_lines(values: Iterable[Any]) -> bytes:
    """Returns the content of a JSONL file with these values."""
    return "".join(map(to_line, values)).encode()


def whole_lines(path: Path) -> list[str]:
    """Returns the lines of a file that is appended to; none where there is no file.

    A last line without a line break was torn by a kill. It is removed from the file, since the next line would be
    appended to it.
    """
    if not path.exists():
        return []
    whole, newline, torn = read_text(path).rpartition("\n")
    if torn:
        write_whole(path, (whole + newline).encode())
    return whole.split("\n") if newline else []


def sha256_of(paths: Iterable[Path]) -> str:
    """Returns the sha256 of the files' own sha256s, in their order."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file. Whoever reads it, even after a kill, finds the old content or the new, never a part."""
    with replacing(path) as draft:
        draft.write_bytes(content)


@contextmanager
def replacing(path: Path, drafts: Path | None = None) -> Iterator[Path]:
    """Gives the path of a draft, which replaces `path` in one step when the block ends.

    The draft is in the folder `drafts`, which is on the same disk; None: in the folder of `path`.
    """
    draft = (drafts or path.parent) / f".{path.name}.tmp"
    yield draft
    os.replace(draft, path)
