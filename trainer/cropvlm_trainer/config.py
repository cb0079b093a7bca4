"""Configuration of a training run: TOML into frozen dataclasses, every key known, every default the paper's.

A dataclass may have a `__post_init__` that raises ValueError for values that cannot go together; the message says what
to change.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def load_config(kind: type[T], path: Path | None, overrides: dict[str, Any]) -> T:
    """The config of a TOML file, with `overrides` (`{"lora.r": 8}`) on top; defaults where neither speaks.

    Raises FileNotFoundError for a missing file, ValueError for an unknown key, a wrong type or values that clash.
    """
    table: dict[str, Any] = {}
    if path is not None:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist; name a TOML file, or give the keys with --set")
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{path} is not TOML: {error}") from error
    for dotted, value in overrides.items():
        *parents, key = dotted.split(".")
        place = table
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = value
    return from_table(kind, table, "")


def from_table(kind: type[T], table: dict[str, Any], where: str) -> T:
    """A dataclass from a TOML table; `where` is the table's dotted name with a dot behind it, or ''."""
    hints = typing.get_type_hints(kind)
    known = [field.name for field in dataclasses.fields(kind)]
    unknown = [key for key in table if key not in known]
    if unknown:
        raise ValueError(f"unknown key {where}{unknown[0]}; known here are {', '.join(known)}")
    required = [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    missing = [name for name in required if name not in table]
    if missing:
        raise ValueError(
            f"{where}{missing[0]} is not set; give it in the TOML file or with --set {where}{missing[0]}=…"
        )
    return kind(**{key: _value(hints[key], value, f"{where}{key}") for key, value in table.items()})


def parse_override(text: str) -> tuple[str, Any]:
    """`lora.r=8` -> `("lora.r", 8)`; the value is TOML, or a string where it is none."""
    key, mark, value = text.partition("=")
    if not mark or not key.strip():
        raise ValueError(f"--set takes KEY=VALUE, not {text!r}")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value


def to_table(config: Any) -> dict[str, Any]:
    """What was resolved, as JSON can hold it."""
    return {
        key: str(value) if isinstance(value, Path) else to_table(value) if dataclasses.is_dataclass(value) else value
        for key, value in ((field.name, getattr(config, field.name)) for field in dataclasses.fields(config))
    }


def _value(hint: Any, value: Any, where: str) -> Any:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for option in options:
        if dataclasses.is_dataclass(option) and isinstance(value, dict):
            return from_table(option, value, f"{where}.")
        if option is Path and isinstance(value, str):
            return Path(value)
        if option is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if typing.get_origin(option) is typing.Literal:
            if value in typing.get_args(option):
                return value
        elif isinstance(option, type) and type(value) is option:
            return value
    raise ValueError(f"{where} = {value!r} is not {_named(options)}")


def _named(options: tuple) -> str:
    names = []
    for option in options:
        if typing.get_origin(option) is typing.Literal:
            names += [repr(choice) for choice in typing.get_args(option)]
        elif option is not type(None):
            names.append(
                {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}.get(
                    option, "a path" if option is Path else "a table"
                )
            )
    return " or ".join(names)
