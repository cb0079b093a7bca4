"""`data expand`: grows the boxes of a data set, by the percentile of their areas or all by one factor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cropvlm_trainer.boxes import grow, growth_factors, printed_factors, taught_region
from cropvlm_trainer.files import to_lines, write_whole
from cropvlm_trainer.metrics.exact_and_iou import area
from cropvlm_trainer.rows import check_beside, read_rows

PERCENTILE, TABLE3, MARGIN = "percentile", "table3", "margin"


def expand(dataset: Path, out: Path, by: str) -> None:
    """Writes the rows of `dataset` to `out` with their boxes grown and all other fields unchanged.

    `by` is "percentile" (paper, Table 3), "table3" (the same with the areas that it prints as bounds), "margin" (to
    `boxes.taught_region`) or a number, the factor of every box's area. A seed box's `seed` then says how
    much it has grown.
    Raises ValueError for a row without a valid box or with a seed box that has grown before, for an `out` that exists
    or is not in the data set's folder, and for another `by`.
    """
    check_beside(dataset, out)
    rows = read_rows(dataset, needs=("box",))
    _refuse_grown(dataset, rows)
    if by == MARGIN:
        # The sums may exceed 100 in the last bit.
        boxes = [[min(v, 100.0) for v in taught_region(row["box"])] for row in rows]
        write_whole(out, to_lines(_with(row, box, MARGIN) for row, box in zip(rows, boxes, strict=True)))
        print(f"{out}: {len(rows)} boxes with a margin")
        return
    factors = factors_by(by, [area(row["box"]) for row in rows])
    write_whole(out, to_lines(_grown(row, factor) for row, factor in zip(rows, factors, strict=True)))
    counts = {factor: factors.count(factor) for factor in sorted(set(factors), reverse=True)}
    print(f"{out}: " + ", ".join(f"{count} boxes by {factor:g}" for factor, count in counts.items()))


def factors_by(by: str, areas: Sequence[float]) -> list[float]:
    """Returns the factor of each box's area; `areas` are in per cent of one side times per cent of the other.

    Raises ValueError for a `by` that is none of `expand`'s.
    """
    if by == PERCENTILE:
        return growth_factors(areas)
    if by == TABLE3:
        return printed_factors([each / 100 for each in areas])
    try:
        factor = float(by)
    except ValueError as error:
        raise ValueError(
            f"--by {by}: give '{PERCENTILE}', '{TABLE3}', '{MARGIN}', or a positive factor of the area, as 4"
        ) from error
    return [factor] * len(areas)


def _grown(row: dict, factor: float) -> dict:
    return _with(row, grow(row["box"], factor), factor)


def _with(row: dict, box: Sequence[float], grown: float | str) -> dict:
    seed = {"seed": {**row["seed"], "grown": grown}} if isinstance(row.get("seed"), dict) else {}
    return {**row, "box": list(box), **seed}


def _named(grown: float | str) -> str:
    return grown if isinstance(grown, str) else f"{grown:g}"


def _refuse_grown(dataset: Path, rows: Sequence[dict]) -> None:
    before = [
        (number, row["seed"]["grown"])
        for number, row in enumerate(rows, start=1)
        if isinstance(row.get("seed"), dict) and row["seed"].get("grown", 1) != 1
    ]
    if before:
        number, factor = before[0]
        raise ValueError(
            f"{len(before)} boxes of {dataset} have grown already, as that of row {number} by {_named(factor)}; take "
            "the boxes as the model gave them, from `data seed --method vlm --grow none` (its replies are kept)"
        )
