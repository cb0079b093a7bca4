"""Whether an exported fp32 folder gives what torch gives, within a tolerance."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from cropvlm_trainer.export.check.expected import Expected, compare, compare_attention
from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.export.settings import TOLERANCE


class ParityError(ValueError):
    """The exported graphs and torch differ by more than they may."""


@dataclass(frozen=True)
class Parity:
    """The largest absolute differences from torch, each over the standard deviation of torch's own values."""

    features: float
    """of the image features"""
    prefill: float
    """of the logits after the prompt"""
    decode: float
    """of the logits after each further token"""
    greedy_equal: str
    """How many whole answers are torch's, of all, as "5/6". An answer that differs at a tie counts as equal."""


def check_attention(expected: list[Expected], onnx_model: OnnxModel, tolerance: float = math.inf) -> dict:
    """The largest difference of the attention as `{"attention": ...}`; empty where none was wanted.

    Raises ParityError where it is beyond the tolerance or no number.
    """
    if expected[0].attention is None:
        return {}
    if not onnx_model.gives_attention:
        raise ParityError(f"{onnx_model.name} gives no attention; export it again with --attention")
    worst = rounded(np.array([max(compare_attention(case, onnx_model) for case in expected)]))[0]
    if not (math.isfinite(worst) and worst <= tolerance):
        raise ParityError(f"the attention of {onnx_model.name} differs from torch's by {worst}, tolerance {tolerance}")
    return {"attention": worst}


def check_fp32(expected: list[Expected], onnx_model: OnnxModel, tolerance: float = TOLERANCE) -> dict:
    """The Parity as a dict; raises ParityError, which tells it, where a difference is beyond the tolerance."""
    worst, answers_equal = np.zeros(3), 0
    for case in expected:
        differences, _, tokens = compare(case, onnx_model)
        worst = np.maximum(worst, differences)
        answers_equal += tokens == case.tokens or _differs_at_tie(tokens, case.tokens, case.logits, tolerance)
    parity = asdict(Parity(*rounded(worst), f"{answers_equal}/{len(expected)}"))
    if not np.all(worst <= tolerance) or answers_equal < len(expected):
        raise ParityError(
            f"the exported graphs in {onnx_model.folder} differ from torch: {parity}, tolerance {tolerance}; "
            "a looser --tolerance is no cure unless the precision explains the difference"
        )
    return parity | check_attention(expected, onnx_model, tolerance)


def rounded(differences: np.ndarray) -> list[float]:
    """Three significant digits each, as `cropvlm.json` has them."""
    return [float(f"{difference:.2e}") for difference in differences]


def _differs_at_tie(found: list[int], tokens: list[int], logits: np.ndarray, tolerance: float) -> bool:
    """Whether the first token that differs from torch's was as good by torch's logits, within twice the tolerance."""
    at = next((i for i, pair in enumerate(zip(found, tokens, strict=False)) if pair[0] != pair[1]), None)
    return at is not None and logits[at][tokens[at]] - logits[at][found[at]] <= 2 * tolerance * logits.std()
