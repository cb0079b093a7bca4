"""The curve of the paper's Figure 3: scores over the factor by which human boxes are expanded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator


def draw_expansion(path: Path, scores: Mapping[float, float], full_image: float, measure: str) -> None:
    """Writes a PNG. `scores` are in 0..1, by area factor; `full_image` is the score without a crop, a level line."""
    figure = Figure(figsize=(6, 4), dpi=150, layout="constrained")
    # pyplot would need a display on some machines and keeps every figure in a global list.
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    factors = sorted(scores)
    axes.plot(factors, [100 * scores[factor] for factor in factors], marker="o", label="full image + own box")
    axes.axhline(100 * full_image, linestyle="--", color="grey", label="full image")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(factors))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda factor, _: f"{factor:g}"))
    axes.set_xlabel("area of the box, times its own")
    axes.set_ylabel(f"{measure}, %")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
