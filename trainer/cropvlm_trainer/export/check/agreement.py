"""How far fp16, int8 and q4 are from torch and from fp32. They differ by design: what by is reported.

Refused is only what cannot be used: values that are not finite, or answers that are mostly others (FLOOR).
"""

from dataclasses import asdict, dataclass

import numpy as np

from cropvlm_trainer.export.check.expected import Expected, compare
from cropvlm_trainer.export.check.parity import Parity, ParityError, rounded
from cropvlm_trainer.export.check.session import OnnxModel

FLOOR = 0.5
"""The least `steps_equal`, and a cropper's least mean IoU with fp32: below it most answers are others."""


@dataclass(frozen=True)
class LossyParity(Parity):
    """As Parity, but a tie counts like any other difference."""

    steps_equal: float
    """Share of torch's greedy tokens that are this precision's choice too, each behind torch's tokens, not its own."""


def check_lossy(wanted: list[Expected], onnx_model: OnnxModel, floor: float = FLOOR) -> dict:
    """The LossyParity; raises ParityError where a value is not finite or `steps_equal` is below the floor."""
    worst, equal, right = np.zeros(3), 0, []
    for one in wanted:
        differences, logits, found = compare(one, onnx_model)
        worst = np.maximum(worst, differences)
        equal += found == one.tokens
        right += list(logits.argmax(axis=1) == one.tokens)
    parity = asdict(LossyParity(*rounded(worst), f"{equal}/{len(wanted)}", round(float(np.mean(right)), 3)))
    if not np.all(np.isfinite(worst)):
        raise ParityError(
            f"{onnx_model.name} gives values that are not finite: {parity}; leave this precision out of --precision"
        )
    refuse_below(floor, "steps_equal", parity["steps_equal"], onnx_model)
    return parity


def refuse_below(floor: float, name: str, value: float, onnx_model: OnnxModel) -> None:
    """Raises ParityError."""
    if value < floor:
        raise ParityError(
            f"{onnx_model.name} cannot be used: {name} is {value}, below {floor}; "
            "leave this precision out of --precision, or take it as it is with a lower --floor"
        )
