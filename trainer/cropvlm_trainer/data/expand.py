"""`data expand`: the boxes of a manifest grown, by percentile of their areas or by one factor."""

from __future__ import annotations

from pathlib import Path

from cropvlm_trainer.boxes import grow, growth_factors
from cropvlm_trainer.metrics.exact_and_iou import area
from cropvlm_trainer.rows import check_beside, read_rows, to_lines, write_whole

PERCENTILE = "percentile"


def expand(manifest: Path, out: Path, by: str) -> None:
    """Writes the rows of `manifest` to `out`, each with its box grown and all else as it is.

    `by`: "percentile" (contract, "Seed boxes" 1), or one factor of the area as a number. Raises ValueError for a row
    without a valid box, and for an `out` that exists or lies in another folder, where image paths would not hold.
    """
    check_beside(manifest, out)
    rows = read_rows(manifest, needs=("box",))
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
