"""`data expand`: grows the boxes of a data set, by the percentile of their areas or all by one factor."""

from __future__ import annotations

from pathlib import Path

from cropvlm_trainer.boxes import grow, growth_factors
from cropvlm_trainer.files import to_lines, write_whole
from cropvlm_trainer.metrics.exact_and_iou import area
from cropvlm_trainer.rows import check_beside, read_rows

PERCENTILE = "percentile"


def expand(dataset: Path, out: Path, by: str) -> None:
    """Writes the rows of `dataset` to `out` with their boxes grown and all other fields unchanged.

    `by` is "percentile" (paper, Table 3) or a number, the factor of every box's area. Raises ValueError for a
    row without a valid box, for an `out` that exists or is not in the data set's folder, and for another `by`.
    """
    check_beside(dataset, out)
    rows = read_rows(dataset, needs=("box",))
    factors = _factors([area(row["box"]) for row in rows], by)
    grown = [{**row, "box": list(grow(row["box"], factor))} for row, factor in zip(rows, factors, strict=True)]
    write_whole(out, to_lines(grown))
    counts = {factor: factors.count(factor) for factor in sorted(set(factors), reverse=True)}
    print(f"{out}: " + ", ".join(f"{count} boxes by {factor:g}" for factor, count in counts.items()))


def _factors(areas: list[float], by: str) -> list[float]:
    if by == PERCENTILE:
        return growth_factors(areas)
    try:
        factor = float(by)
    except ValueError as error:
        raise ValueError(f"--by {by}: give 'percentile' or a positive factor of the area, as 4") from error
    return [factor] * len(areas)
