"""Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def table(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """Returns a table with a row for each name; `title` stands above the names."""
    lines = [[title, *columns], *([name, *cells] for name, cells in rows.items())]
    header, *body = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([header, "|---" * (len(columns) + 1) + "|", *body])
