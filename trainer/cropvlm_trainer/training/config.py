"""Reads the configuration of a training run: a TOML file into a frozen dataclass, checked by pydantic.

A stage's dataclass is `pydantic.dataclasses.dataclass(frozen=True, config=NO_UNKNOWN_KEYS)`. The limits of one value
stand in its `Field`, and what to choose instead in an `Advice` beside it. What several values must fulfil together is a
`model_validator(mode="after")` that raises ValueError; its message says what to change.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ConfigDict, Discriminator, TypeAdapter, ValidationError

T = TypeVar("T")

NO_UNKNOWN_KEYS = ConfigDict(extra="forbid")


class Advice(NamedTuple):
    """Ends the error message of a value outside its limits. `{default:g}` in the text becomes the field's default."""

    text: str


LIMITS = {
    "greater_than": "above {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "below {lt:g}",
    "less_than_equal": "{le:g} or less",
}
"""How a message words pydantic's errors about limits, by their type."""
KINDS = {
    "string_type": "a string",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dataclass_type": "a table",
}
"""How a message words pydantic's errors about types, by their type."""


def load_config(stages: Mapping[str, type], stage: str, path: Path | None, overrides: dict[str, Any]) -> Any:
    """Returns the config of one stage: the dataclass's defaults, then the TOML file, then `overrides`.

    `stages` has each stage's dataclass by its name. One file serves all stages: the table with a stage's name holds
    keys for that stage alone, all keys outside such tables hold for every stage. `overrides` maps dotted keys to
    values, as `{"lora.r": 8}`.
    Raises FileNotFoundError for a missing file. Raises ValueError, with a line for each problem, for unknown keys, keys
    in the wrong table, and values of a wrong type or outside their limits, in the tables of the other stages too; and
    for values of this stage that cannot go together.
    """
    table = _read(path) if path else {}
    sections = {name: table.pop(name) for name in stages if name in table}
    for name, section in sections.items():
        if not isinstance(section, dict):
            raise ValueError(f"{name} = {section!r} is not a table; write its keys under [{name}]")
        _check_part(stages[name], section, f"{name}.")
    for key in table:
        knowing = [name for name, kind in stages.items() if key in _keys(kind)]
        if knowing and len(knowing) < len(stages):
            raise ValueError(f"{key} is not a key of every stage; put it under [{knowing[0]}]")
    for kind in stages.values():
        _check_part(kind, table, "")
    table = _merged(table, sections.get(stage, {}))
    for dotted, value in overrides.items():
        *parents, key = dotted.split(".")
        for parent in reversed(parents):
            key, value = parent, {key: value}
        table = _merged(table, {key: value})
    try:
        return _validated(stages[stage], table)
    except ValidationError as error:
        raise ValueError("\n".join(_message(stages[stage], each, "") for each in error.errors())) from error


def parse_override(text: str) -> tuple[str, Any]:
    """Splits `lora.r=8` into `("lora.r", 8)`. The value is read as TOML, or taken as a string where it is not TOML.

    Raises ValueError for a text without a key or without `=`.
    """
    key, mark, value = text.partition("=")
    if not mark or not key.strip():
        raise ValueError(f"--set takes KEY=VALUE, not {text!r}")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value


def to_table(config: Any) -> dict[str, Any]:
    """Returns the config as values that JSON can hold; paths become strings."""
    return TypeAdapter(type(config)).dump_python(config, mode="json")


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; name a TOML file, or give the keys with --set")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error


def _merged(table: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Puts `over` on top of `table`; tables that both have are merged key by key."""
    both = {
        key: _merged(table[key], value) if isinstance(value, dict) and isinstance(table.get(key), dict) else value
        for key, value in over.items()
    }
    return {**table, **both}


def _validated(kind: type[T], table: dict[str, Any]) -> T:
    # As JSON: pydantic's strict mode takes no other type for a number there, but a string for a path, as TOML does.
    return TypeAdapter(kind).validate_json(json.dumps(table, default=str), strict=True)


def _check_part(kind: type, table: dict[str, Any], where: str) -> None:
    """Raises ValueError for keys and values of `table` that are wrong by themselves; keys may still be missing.

    `where` is what stands before the table's keys in messages: its name with a dot, or ''.
    """
    try:
        _validated(kind, table)
    except ValidationError as error:
        problems = [each for each in error.errors() if each["type"] not in ("missing", "value_error")]
        if problems:
            raise ValueError("\n".join(_message(kind, each, where) for each in problems)) from error


def _message(kind: type, problem: Mapping[str, Any], where: str) -> str:
    """Words one of pydantic's errors about a table of the dataclass `kind` so that it says what to do."""
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    kind, key, path = _resolved(kind, problem["loc"])
    name, value, context = where + ".".join(path), problem["input"], problem.get("ctx", {})
    match problem["type"]:
        case "unexpected_keyword_argument":
            return f"unknown key {name}; known here are {', '.join(_keys(kind))}"
        case "missing":
            return f"{name} is not set; give it in the TOML file or with --set {name}=…"
        case "literal_error":
            return f"{name} = {value!r} is not {context['expected']}"
        case limit if limit in LIMITS:
            advice = _advice(kind, key)
            allowed = LIMITS[limit].format(**context)
            return f"{name} must be {allowed}; {advice}" if advice else f"{name} must be {allowed}, not {value!r}"
        case wrong if wrong in KINDS:
            return f"{name} = {value!r} is not {KINDS[wrong]}"
    return f"{name} = {value!r}: {problem['msg']}"


def _resolved(kind: type, loc: tuple) -> tuple[type, str, list[str]]:
    """Returns the dataclass that has the value at `loc`, the value's key in it, and the keys that lead to it.

    Where a value may be of several kinds, `loc` has the tag of the kind after the key; it is none of the keys.
    """
    path, key, rest = [], "", list(loc)
    while rest:
        key = rest.pop(0)
        path.append(key)
        hint = typing.get_type_hints(kind, include_extras=True).get(key)
        if any(isinstance(each, Discriminator) for each in getattr(hint, "__metadata__", ())) and rest:
            tag = rest.pop(0)
            hint = next(each for each in typing.get_args(hint.__origin__) if each.__metadata__[0].tag == tag)
        if rest:
            kind = getattr(hint, "__origin__", hint)
    return kind, key, path


def _advice(kind: type, key: str) -> str | None:
    hint = typing.get_type_hints(kind, include_extras=True)[key]
    texts = [each.text for each in getattr(hint, "__metadata__", ()) if isinstance(each, Advice)]
    return texts[0].format(default=getattr(kind, key)) if texts else None


def _keys(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]
