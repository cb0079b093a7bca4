"""The settings of a LoRA adapter. This module imports nothing slow, since configurations name its defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LoraSettings:
    r: int = 128
    """rank"""
    alpha: int = 256
    """the update is scaled by alpha / r"""
    dropout: float = 0.05
