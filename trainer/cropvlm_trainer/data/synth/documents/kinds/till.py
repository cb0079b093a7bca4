"""How one till prints."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from cropvlm_trainer.data.synth.documents.content.values import Money
from cropvlm_trainer.data.synth.documents.fonts import Family
from cropvlm_trainer.data.synth.documents.layout import Type


@dataclass
class Till:
    """Its type, its rules and its habits, the same all over a receipt."""

    family: Family
    type: Type
    money: Money
    rule: str
    upper: bool
    colon: str
    """what stands behind a label"""

    def bold(self, factor: float = 1.0) -> Type:
        return Type(self.family.bold, max(8, round(self.type.size * factor)))

    def loud(self, rng: Random) -> Type:
        """Returns a type for what is to be seen: larger, bold, or of double width or height."""
        how = rng.random()
        if how < 0.35:
            return self.bold(rng.uniform(1.0, 1.5))
        if how < 0.55:
            return self.type.times(1.0, wide=rng.uniform(1.4, 2.0))
        if how < 0.75:
            return self.type.times(rng.uniform(1.5, 2.0), wide=rng.uniform(0.5, 0.8))
        return self.type.times(rng.uniform(1.0, 1.8))

    def case(self, text: str) -> str:
        return text.upper() if self.upper else text
