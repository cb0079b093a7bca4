"""Where the rewards of GRPO come from: the base itself, or another model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from cropvlm_trainer.training.config import NO_UNKNOWN_KEYS, Advice
from cropvlm_trainer.training.stage_config import Count

OCR = "ocr"
"""The reader that comes with the trainer, RapidOCR."""


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class EndpointReward:
    """The accuracy of what a model behind an OpenAI-compatible endpoint answers, `measure` being how right it is."""

    kind: Literal["endpoint"]
    url: str
    """up to and including `/v1`"""
    model: str
    """its name there"""
    prompt: str | None = None
    """what it is asked with the full image and the crop; `{question}` is the question; None: the service's prompt"""
    key_env: str | None = None
    """environment variable with the endpoint's key"""
    longest_edge: Count | None = None
    """pixels to which larger pictures are shrunk; None sends them as they are"""
    max_tokens: Count = 64
    concurrency: Count = 8
    """calls at one time, of each process"""
    timeout: Annotated[float, Field(gt=0), Advice("it is in seconds")] = 60.0
    """seconds that a call may take"""


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class CheckpointReward:
    """The log-likelihood of the right answer by another VLM."""

    kind: Literal["checkpoint"]
    path: Path
    """checkpoint folder of any image-text-to-text model of transformers (SmolVLM, Qwen2.5-VL, LLaVA)"""
    device: str = "auto"
    """where it computes, as cuda:1; "auto": as the policy"""


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class ReaderReward:
    """How well the right answer stands in what any program reads in the crop, by `measure`."""

    kind: Literal["reader"]
    function: str = OCR
    """"ocr": RapidOCR, which reads the crop alone; or a function (image, crop, question) -> text as `module:function`.
    Both pictures are PIL's; None in the place of a text says that it could not be read"""
    longest_edge: Count | None = 512
    """pixels to which the crop, cut from the image as it is, is enlarged or shrunk; None leaves it as it is cut. The
    smaller, the less is read in a large crop, and the more a good one gains"""
    processes: Count = 2
    """that read, each with the function loaded, of each process of the run"""


def _tag(value: object) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if kind in ("endpoint", "checkpoint", "reader") else "name"


Reward = Annotated[
    Annotated[Literal["log_likelihood", "accuracy"], Tag("name")]
    | Annotated[EndpointReward, Tag("endpoint")]
    | Annotated[CheckpointReward, Tag("checkpoint")]
    | Annotated[ReaderReward, Tag("reader")],
    Discriminator(_tag),
]
"""`log_likelihood` and `accuracy` are of the base; a table names another model or program."""
