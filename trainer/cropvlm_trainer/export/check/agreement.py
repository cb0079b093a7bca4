"""How far fp16, int8 and q4 agree with torch. They differ from it by design, and by how much is reported.

Refused is only what cannot be used: values that are not finite, and answers that mostly differ (FLOOR).
"""

from dataclasses import asdict, dataclass

import numpy as np

from cropvlm_trainer.export.check.expected import Expected, compare
from cropvlm_trainer.export.check.parity import Parity, ParityError, check_attention, check_fp32, rounded
from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.export.settings import FLOOR, TOLERANCE


@dataclass(frozen=True)
class Agreement(Parity):
    """As Parity, but in `greedy_equal` an answer that differs at a tie counts as different."""

    steps_equal: float
    """The share of torch's greedy tokens that are this precision's choice too, each after torch's own tokens."""


def check_precision(
    precision: str, expected: list[Expected], onnx_model: OnnxModel, tolerance: float = TOLERANCE, floor: float = FLOOR
) -> dict:
    """The Parity of fp32 graphs, and the Agreement of all others, as a dict. Raises ParityError as their checks do."""
    if precision == "fp32":
        return check_fp32(expected, onnx_model, tolerance)
    return check_agreement(expected, onnx_model, floor)


def check_agreement(expected: list[Expected], onnx_model: OnnxModel, floor: float = FLOOR) -> dict:
    """The Agreement as a dict; raises ParityError where a value is not finite or `steps_equal` is below the floor."""
    worst, answers_equal, steps_equal = np.zeros(3), 0, []
    for case in expected:
        differences, logits, tokens = compare(case, onnx_model)
        worst = np.maximum(worst, differences)
        answers_equal += tokens == case.tokens
        steps_equal += list(logits.argmax(axis=1) == case.tokens)
    share = round(float(np.mean(steps_equal)), 3)
    agreement = asdict(Agreement(*rounded(worst), f"{answers_equal}/{len(expected)}", share))
    if not np.all(np.isfinite(worst)):
        raise ParityError(
            f"{onnx_model.name} gives values that are not finite: {agreement}; leave this precision out of --precision"
        )
    refuse_below(floor, "steps_equal", share, onnx_model)
    return agreement | check_attention(expected, onnx_model)


def refuse_below(floor: float, name: str, value: float, onnx_model: OnnxModel) -> None:
    """Raises ParityError where the measure `name` has a value below the floor."""
    if value < floor:
        raise ParityError(
            f"{onnx_model.name} cannot be used: {name} is {value}, below {floor}; "
            "leave this precision out of --precision, or take it as it is with a lower --floor"
        )
