"""Configuration of a training run: TOML into frozen dataclasses, every key known, every default the paper's.

A dataclass may have a `__post_init__` that raises ValueError for values that cannot go together; the message says what
to change.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def load_config(stages: Mapping[str, type], stage: str, path: Path | None, overrides: dict[str, Any]) -> Any:
    """The config of one stage from a TOML file that serves all, with `overrides` (`{"lora.r": 8}`) on top.

    `stages`: each stage's dataclass. A table of a stage's name belongs to that stage; all else in the file is for all
    stages. Where nothing speaks, the dataclass's defaults do.
    Raises FileNotFoundError for a missing file; ValueError for a key that is unknown or stands in the wrong place (in
    the other stages' tables, too), a wrong type or values that clash.
    """
    table = _read(path) if path else {}
    sections = {name: table.pop(name) for name in stages if name in table}
    for name, section in sections.items():
        if not isinstance(section, dict):
            raise ValueError(f"{name} = {section!r} is not a table; write its keys under [{name}]")
        _values(stages[name], section, f"{name}.")
    for key in table:
        knowing = [name for name, kind in stages.items() if key in _known(kind)]
        if knowing and len(knowing) < len(stages):
            raise ValueError(f"{key} is not a key of every stage; put it under [{knowing[0]}]")
    for kind in stages.values():
        _values(kind, table, "")
    table = _merged(table, sections.get(stage, {}))
    for dotted, value in overrides.items():
        *parents, key = dotted.split(".")
        for parent in reversed(parents):
            key, value = parent, {key: value}
        table = _merged(table, {key: value})
    return from_table(stages[stage], table, "")


def from_table(kind: type[T], table: dict[str, Any], where: str) -> T:
    """A dataclass from a TOML table; `where` is the table's dotted name with a dot behind it, or ''."""
    values = _values(kind, table, where)
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
    return kind(**values)


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


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; name a TOML file, or give the keys with --set")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error


def _merged(table: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` on top of `table`; of tables within, key by key."""
    both = {
        key: _merged(table[key], value) if isinstance(value, dict) and isinstance(table.get(key), dict) else value
        for key, value in over.items()
    }
    return {**table, **both}


def _known(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _values(kind: type, table: dict[str, Any], where: str) -> dict[str, Any]:
    """A table's values in the types of the dataclass, which may ask for more keys than the table has."""
    unknown = [key for key in table if key not in _known(kind)]
    if unknown:
        raise ValueError(f"unknown key {where}{unknown[0]}; known here are {', '.join(_known(kind))}")
    hints = typing.get_type_hints(kind)
    return {key: _value(hints[key], value, f"{where}{key}") for key, value in table.items()}


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
