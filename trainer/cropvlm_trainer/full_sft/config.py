"""What `cropvlm-train full-sft` can be told, in a TOML file and with `--set`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass as plain_dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic.dataclasses import dataclass

from cropvlm_trainer.idefics3.model import Shape
from cropvlm_trainer.pretrain.loop import Recipe
from cropvlm_trainer.training.config import NO_UNKNOWN_KEYS, load_config, parse_override
from cropvlm_trainer.training.stage_config import Count, CountOrZero

Positive = Annotated[float, Field(gt=0)]
PositiveOrZero = Annotated[float, Field(ge=0)]
Paths = Annotated[Path | tuple[Path, ...], AfterValidator(lambda one: one if isinstance(one, tuple) else (one,))]
"""a path or a list of them; always a tuple once it is read"""
TABLE = "full_sft"


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class Sizes:
    """Of a model that begins with random weights; the defaults are the mini models'."""

    vision_width: Count = Shape.vision_width
    vision_layers: Count = Shape.vision_layers
    vision_heads: Count = Shape.vision_heads
    text_width: Count = Shape.text_width
    text_layers: Count = Shape.text_layers
    text_heads: Count = Shape.text_heads
    text_kv_heads: Count = Shape.text_kv_heads
    text_mlp: Count = Shape.text_mlp

    @model_validator(mode="after")
    def _check_heads(self) -> Sizes:
        for name, parts in (
            ("vision_width", "vision_heads"),
            ("text_width", "text_heads"),
            ("text_heads", "text_kv_heads"),
        ):
            whole, into = getattr(self, name), getattr(self, parts)
            if whole % into:
                raise ValueError(f"{name} = {whole} is no multiple of {parts} = {into}")
        if self.vision_width % 4:
            raise ValueError(f"vision_width = {self.vision_width} is no multiple of 4, which its positions need")
        if (width := self.text_width // self.text_heads) % 2:
            raise ValueError(f"text_width / text_heads = {width} is odd, and positions need an even one")
        return self


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class FullSftConfig:
    base: Path
    """a model folder that `export` wrote, or the checkpoint of a small model; with `shape`, of its tokenizer alone"""
    data: Paths
    """data set with boxes (JSONL), as `data seed --method text` writes it; of several, each gives equally many pages"""
    out: Path
    """run folder"""
    dev: Path | None = None
    """a data set whose boxes are held against the model's every `save_every` steps; the best checkpoint is kept"""
    texts: Paths = ()
    """the pictures' text, as `data seed --method text` keeps it, a file for each data set, for the auxiliary loss;
    without any there is none"""
    shape: Sizes | None = None
    """sizes of a model that begins with random weights, in the base's place"""
    tile: Count = 512
    """edge in pixels to which pictures are resized; the model gets one tile of it"""
    patch: Count = 16
    """edge in pixels of a patch, a multiple of the base's"""
    steps: Count = 1000
    batch: Count = 8
    """pictures in one step, each with all its questions"""
    labels: CountOrZero = 3
    """questions about labels that a picture gets in a step, at most"""
    augment: PositiveOrZero = 1.0
    """strength of turning, scaling, shifting and the like; 0: none"""
    seeing: PositiveOrZero = 0.5
    """weight of the auxiliary loss by which each image token says which words lie in it"""
    learning_rate: Positive = 5e-4
    """of embeddings and vectors (AdamW)"""
    matrix_learning_rate: Positive = 1e-3
    """of the layers' matrices (Muon)"""
    warmup: Count = 100
    """steps"""
    seed: int = 0
    workers: Count = 1
    """processes that draw views of pages; each keeps pictures of its own"""
    save_every: Count = 100
    """steps between two saved states and evaluations; a multiple of 50"""

    @model_validator(mode="after")
    def _check_texts(self) -> FullSftConfig:
        if not self.data:
            raise ValueError("data is an empty list; name a data set")
        if self.texts and len(self.texts) != len(self.data):
            raise ValueError(f"{len(self.texts)} texts for {len(self.data)} data sets; name one for each, or none")
        return self


@plain_dataclass(frozen=True, kw_only=True)
class FullSftRecipe(Recipe):
    """The settings that a run goes on with alone. The files that it names may lie elsewhere, but not change."""

    tile: int
    patch: int
    labels: int
    augment: float
    seeing: float
    shape: dict[str, int] | None
    base: str
    data: str
    texts: str
    dev: str


def read_config(args: argparse.Namespace) -> FullSftConfig:
    """Raises as `load_config`."""
    overrides = dict(parse_override(text) for text in args.set)
    return load_config({TABLE: FullSftConfig}, TABLE, args.config, overrides)
