"""The goldens that need no model are what the trainer's own functions say today."""

import json

import pytest
from support.paths import REPOSITORY

from cropvlm_trainer.boxes import around, expanded
from cropvlm_trainer.golden.attention import attention
from cropvlm_trainer.golden.contract import contract
from cropvlm_trainer.golden.measures import measures
from cropvlm_trainer.golden.replies import replies

GOLDEN = REPOSITORY / "test" / "fixtures" / "golden"


def same(made: object, kept: object) -> bool:
    """Equal, but for the last bits of floats, in which Python 3.12's sum differs from 3.11's."""
    if isinstance(made, float) and isinstance(kept, float | int):
        return made == pytest.approx(kept, abs=1e-9)
    if isinstance(made, dict) and isinstance(kept, dict):
        return made.keys() == kept.keys() and all(same(made[key], kept[key]) for key in made)
    if isinstance(made, list | tuple) and isinstance(kept, list):
        return len(made) == len(kept) and all(same(a, b) for a, b in zip(made, kept, strict=True))
    return made == kept


MADE = [("attention", attention), ("contract", contract), ("measures", measures), ("replies", replies)]


@pytest.mark.parametrize(("name", "make"), MADE)
def test_kept_cases_are_those_made_today(name: str, make) -> None:
    made, kept = make()["cases"], json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    assert len(made) == len(kept)
    wrong = [(a, b) for a, b in zip(made, kept, strict=True) if not same(a, b)]
    assert not wrong, f"{len(wrong)} differ; the first: {wrong[0]}; write them anew with `cropvlm-train golden`"


def test_growth_is_rounded_outwards_in_a_step_of_its_own() -> None:
    grown = expanded((40, 45, 60, 55), 2.25)
    assert grown == (35, 42.5, 65, 57.5)
    assert around(grown) == (35, 42, 65, 58)
