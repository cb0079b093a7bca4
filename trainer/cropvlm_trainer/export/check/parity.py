"""Does the exported fp32 folder say what torch says? It has to, within a tolerance."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.export.check.expected import PROMPTS, Expected, compare, expected
from cropvlm_trainer.export.check.session import OnnxModel

TOLERANCE = 1e-3


class ParityError(ValueError):
    """The exported graphs and torch differ by more than they may."""


@dataclass(frozen=True)
class Parity:
    """Largest absolute differences from torch; logits over the spread of torch's (their standard deviation)."""

    features: float
    prefill: float
    decode: float
    greedy_equal: str
    """Whole answers equal to torch's, of all; one that parts from it at a tie counts as equal."""


def check_parity(
    model: Idefics3ForConditionalGeneration,
    processor: Idefics3Processor,
    folder: Path,
    *,
    tolerance: float = TOLERANCE,
    prompts: int = len(PROMPTS),
) -> dict:
    """The Parity on the first `prompts` of PROMPTS; raises ParityError, saying how far they are apart, beyond it."""
    return check_exact(expected(model, processor, prompts), OnnxModel(folder), tolerance)


def check_exact(wanted: list[Expected], onnx_model: OnnxModel, tolerance: float = TOLERANCE) -> dict:
    """The Parity of fp32 graphs; raises ParityError beyond the tolerance."""
    worst, equal = np.zeros(3), 0
    for one in wanted:
        differences, _, found = compare(one, onnx_model)
        worst = np.maximum(worst, differences)
        equal += found == one.tokens or _tie(found, one.tokens, one.logits, tolerance)
    parity = asdict(Parity(*rounded(worst), f"{equal}/{len(wanted)}"))
    if not np.all(worst <= tolerance) or equal < len(wanted):
        raise ParityError(
            f"the exported graphs in {onnx_model.folder} differ from torch: {parity}, tolerance {tolerance}; "
            "a looser --tolerance is no cure unless the precision explains the difference"
        )
    return parity


def rounded(differences: np.ndarray) -> list[float]:
    """Three digits each, as they are kept in `cropvlm.json`."""
    return [float(f"{difference:.2e}") for difference in differences]


def _tie(found: list[int], tokens: list[int], logits: np.ndarray, tolerance: float) -> bool:
    """Whether the first token that differs was as good as torch's, within what arithmetic may change."""
    at = next((i for i, pair in enumerate(zip(found, tokens, strict=False)) if pair[0] != pair[1]), None)
    return at is not None and logits[at][tokens[at]] - logits[at][found[at]] <= 2 * tolerance * logits.std()
