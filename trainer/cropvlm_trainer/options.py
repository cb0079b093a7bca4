"""Checks of command line options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable


def flag(name: str) -> str:
    """Returns an option as it is typed: `--max-tokens` for `max_tokens`."""
    return "--" + name.replace("_", "-")


def check_positive(args: argparse.Namespace, names: Iterable[str]) -> None:
    """Raises ValueError for an option that was given a number of 0 or less."""
    for name in names:
        value = getattr(args, name)
        if value is not None and not value > 0:
            raise ValueError(f"{flag(name)} must be above 0")
