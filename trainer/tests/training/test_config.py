import dataclasses
from dataclasses import field
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from cropvlm_trainer.training.config import NO_UNKNOWN_KEYS, Advice, load_config, parse_override, to_table


@dataclasses.dataclass(frozen=True)
class Inner:
    r: int = 128
    dropout: float = 0.05


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class Outer:
    base: Path
    recipe: Literal["paper", "released"] = "paper"
    rate: Annotated[float, Field(gt=0), Advice("the paper has {default:g}")] = 5e-6
    name: str | None = None
    deep: bool = False
    lora: Inner = field(default_factory=Inner)

    @model_validator(mode="after")
    def _check(self) -> "Outer":
        if self.deep and self.rate > 2:
            raise ValueError("deep needs a rate of 2 at most")
        return self


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class Later:
    base: Path
    start: Path
    rate: float = 1e-6
    group: Annotated[int, Field(ge=2, lt=10)] = 6
    lora: Inner = field(default_factory=Inner)


STAGES = {"first": Outer, "later": Later}


def load(path: Path | None, overrides: dict) -> Outer:
    """Loads a config from a file for a single stage."""
    return load_config({"only": Outer}, "only", path, overrides)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_files_overrides_and_defaults(tmp_path):
    path = write(tmp_path, 'base = "runs/base"\nrate = 1\n[lora]\nr = 16\n')
    config = load(path, {"lora.dropout": 0, "recipe": "released"})
    assert config == Outer(Path("runs/base"), "released", 1.0, None, False, Inner(16, 0.0))
    assert to_table(config) == {
        "base": "runs/base",
        "recipe": "released",
        "rate": 1.0,
        "name": None,
        "deep": False,
        "lora": {"r": 16, "dropout": 0.0},
    }
    assert load(None, {"base": "b"}) == Outer(Path("b"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('base = "b"\nlearning = 1', "unknown key learning; known here are base, recipe, rate"),
        ('base = "b"\n[lora]\nrank = 1', "unknown key lora.rank; known here are r, dropout"),
        ("rate = 1.0", "base is not set; give it in the TOML file or with --set base="),
        ('base = "b"\nrecipe = "mine"', "recipe = 'mine' is not 'paper' or 'released'"),
        ('base = "b"\nrate = "fast"', "rate = 'fast' is not a number"),
        ('base = "b"\nname = 3', "name = 3 is not a string"),
        ('base = "b"\ndeep = 1', "deep = 1 is not true or false"),
        ('base = "b"\nlora = 3', "lora = 3 is not a table"),
        ('base = "b"\n[lora]\nr = true', "lora.r = True is not a whole number"),
        ('base = "b"\nrate = -1.0', "rate must be above 0; the paper has 5e-06"),
        ('base = "b"\nrate = 3\ndeep = true', "deep needs a rate of 2 at most"),
        ("base = 3", "base = 3 is not a string"),
        ('base = "b"\n[lora]\nr = 2.0', "lora.r = 2.0 is not a whole number"),
        ("base =", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(ValueError, match="^.*" + message.split(";")[0]):
        load(write(tmp_path, text), {})
    try:
        load(write(tmp_path, text), {})
    except ValueError as error:
        assert message in str(error)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="none.toml does not exist; name a TOML file, or give the keys with --set"
    ):
        load(tmp_path / "none.toml", {})


SHARED = """
base = "runs/base"
[lora]
r = 16
[first]
rate = 0.5
lora = { dropout = 0.0 }
[later]
start = "runs/first"
group = 4
"""


def test_one_file_serves_each_stage(tmp_path):
    path = write(tmp_path, SHARED)
    assert load_config(STAGES, "first", path, {}) == Outer(Path("runs/base"), rate=0.5, lora=Inner(16, 0.0))
    later = Later(Path("runs/base"), Path("runs/first"), group=4, lora=Inner(16))
    assert load_config(STAGES, "later", path, {}) == later
    changed = load_config(STAGES, "first", path, {"rate": 0.25, "lora.r": 2, "recipe": "released"})
    assert changed == Outer(Path("runs/base"), "released", 0.25, lora=Inner(2, 0.0))


def test_a_stage_needs_no_keys_of_the_others(tmp_path):
    assert load_config(STAGES, "first", write(tmp_path, 'base = "b"'), {}) == Outer(Path("b"))
    with pytest.raises(ValueError, match="^start is not set; give it in the TOML file"):
        load_config(STAGES, "later", write(tmp_path, 'base = "b"'), {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[later]\ngruop = 1", "unknown key later.gruop; known here are base, start, rate, group, lora"),
        ("[later]\ngroup = 1.5", "later.group = 1.5 is not a whole number"),
        ("[later]\ngroup = 1", "later.group must be 2 or more, not 1"),
        ("[later]\ngroup = 10", "later.group must be below 10, not 10"),
        ("[later.lora]\nrank = 1", "unknown key later.lora.rank; known here are r, dropout"),
        ("[lora]\nrank = 1", "unknown key lora.rank; known here are r, dropout"),
        ("group = 4", "group is not a key of every stage; put it under [later]"),
        ("deep = true", "deep is not a key of every stage; put it under [first]"),
        ("[first]\ngroup = 4", "unknown key first.group; known here are base, recipe"),
        ("nothing = 1", "unknown key nothing; known here are"),
        ("later = 3", "later = 3 is not a table; write its keys under [later]"),
    ],
)
def test_what_is_wrong_in_any_stage_is_named(tmp_path, text, message):
    with pytest.raises(ValueError) as raised:
        load_config(STAGES, "first", write(tmp_path, f"{text}\n"), {"base": "b"})
    assert message in str(raised.value)


def test_all_problems_are_named_at_once():
    with pytest.raises(ValueError) as raised:
        load(None, {"rate": "fast", "learning": 1, "lora.rank": 8})
    assert str(raised.value).splitlines() == [
        "base is not set; give it in the TOML file or with --set base=…",
        "rate = 'fast' is not a number",
        "unknown key lora.rank; known here are r, dropout",
        "unknown key learning; known here are base, recipe, rate, name, deep, lora",
    ]


def test_tables_are_checked_together_only_once_they_are_merged(tmp_path):
    path = write(tmp_path, 'rate = 3\n[first]\nbase = "b"\ndeep = true\n')
    with pytest.raises(ValueError, match="^deep needs a rate of 2 at most$"):
        load_config(STAGES, "first", path, {})
    assert load_config(STAGES, "first", path, {"rate": 1}).rate == 1.0
    assert load_config(STAGES, "later", path, {"base": "b", "start": "s"}).rate == 3.0


def test_overrides_are_toml_or_strings():
    assert parse_override("lora.r=8") == ("lora.r", 8)
    assert parse_override("rate = 1e-4") == ("rate", 1e-4)
    assert parse_override("deep=true") == ("deep", True)
    assert parse_override("base=runs/base/checkpoint") == ("base", "runs/base/checkpoint")
    with pytest.raises(ValueError, match="takes KEY=VALUE, not 'lora.r'"):
        parse_override("lora.r")
