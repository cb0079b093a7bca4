"""`cropvlm-train summary`: the scores of several croppers and seeds, in the layout of the paper's Tables 2, 7, 9, 10.

It reads reports that `eval --out` has written: `RUNS/SEED/STAGE.json` for each seed and stage, and
`RUNS/references.json` for the scores that do not depend on a cropper. Scores are means over the seeds, with their
standard deviation.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from cropvlm_trainer.evaluation.markdown import table
from cropvlm_trainer.files import read_json, write_json

STAGES = {
    "sft": "SFT",
    "grid-sft": "SFT, seeds by the grid search",
    "best-sft": "SFT, best of 16 boxes of the cropper above",
    "text-sft": "SFT, seeds by an OCR",
    "accuracy": "SFT + GRPO, accuracy",
    "log_likelihood": "SFT + GRPO, log-likelihood",
    "long": "SFT + GRPO, accuracy, then on many more questions",
    "true-sft": "SFT, true boxes",
    "true-log_likelihood": "SFT, true boxes + GRPO, log-likelihood",
    "margin-sft": "SFT, true boxes with the reader's margin",
}
"""The names of the stages' files, and what the tables call the stages."""
OWN = ("sft", "grid-sft", "best-sft", "text-sft", "accuracy", "log_likelihood", "long")
"""Stages that were trained from questions and answers alone, without true boxes."""
RIVALS = ("margin-sft",)
"""Stages trained on true boxes that stand in the table of the others."""
SAME_BOXES = ("accuracy", "long")
"""Stages left out of the table that compares SFT's boxes: their SFT is the same as that of log_likelihood."""
REFERENCES = {
    "full image": "no crop",
    "full image + whole page": "the whole page as the crop",
    "full image + random box": "random box",
    "full image + true box": "true box",
}
WITH_FULL, ALONE, WITH_MARGIN = "full image + cropper", "cropper's crop alone", "full image + cropper with margin"
UNTAUGHT, UNTAUGHT_WITH_MARGIN = "the base as cropper, untaught", "the base as cropper, untaught, with the margin"
"""The tables' names for the cropper in references.json, where that was measured with the base as the cropper."""
ALL = "all"
BOXES = {"iou": "IoU", "recall": "recall", "full_recall": "full recall", "size": "size", "valid": "valid"}

NOTHING = "{} holds no SEED/STAGE.json; score croppers with `cropvlm-train eval --out` first"

Report = Mapping[str, Mapping]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=Path, required=True, help="folder with references.json and a folder a seed")
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--out", type=Path, help="JSON file for the figures; the tables go beside it (.md)")
    wanted.add_argument(
        "--best", action="store_true", help="only print SEED/STAGE of the best cropper that saw no true boxes"
    )
    wanted.add_argument(
        "--best-of", nargs="+", metavar="STAGE", help="only print which of these is the best in the mean over the seeds"
    )


def run(args: argparse.Namespace) -> None:
    if args.best:
        print(best(args.runs))
        return
    if args.best_of:
        print(best_stage(args.runs, args.best_of))
        return
    results = read_results(args.runs)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(args.out, results.figures())
    text = tables(results)
    args.out.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    print(text)


@dataclass(frozen=True)
class Results:
    references: Report
    stages: Mapping[str, Mapping[str, Report]]
    """reports by stage, then by seed"""

    def figures(self) -> dict:
        return {"references": self.references, "stages": self.stages}

    @property
    def kinds(self) -> list[str]:
        """The kinds of pages, then "all"."""
        return [*(kind for kind in next(iter(self.references["exact_match"].values())) if kind != ALL), ALL]


def read_results(runs: Path) -> Results:
    """Reads all reports. Raises FileNotFoundError for no reports, ValueError where data sets or targets differ."""
    references = _read(runs / "references.json")
    stages = {}
    for stage in STAGES:
        paths = sorted(runs.glob(f"*/{stage}.json"))
        if paths:
            stages[stage] = {path.parent.name: _read(path) for path in paths}
    if not stages:
        raise FileNotFoundError(NOTHING.format(runs))
    for stage, seeds in stages.items():
        for seed, report in seeds.items():
            for key in ("data", "target"):
                if report["options"].get(key) != references["options"].get(key):
                    raise ValueError(
                        f"{runs}/{seed}/{stage}.json was measured with another --{key} than references.json"
                    )
    return Results(references, stages)


def best(runs: Path) -> str:
    """Returns `SEED/STAGE` of the highest exact match among the stages of `OWN`.

    The pages of these reports should not be those whose scores are published. Raises FileNotFoundError for no reports.
    """
    scores = {
        f"{path.parent.name}/{stage}": _read(path)["exact_match"][WITH_FULL][ALL]
        for stage in OWN
        for path in sorted(runs.glob(f"*/{stage}.json"))
    }
    if not scores:
        raise FileNotFoundError(NOTHING.format(runs))
    return max(scores, key=scores.__getitem__)


def best_stage(runs: Path, stages: Sequence[str]) -> str:
    """Returns which of these stages has the highest exact match, in the mean over its seeds; of equal ones the first.

    Raises FileNotFoundError for a stage without reports.
    """
    means = {}
    for stage in stages:
        paths = sorted(runs.glob(f"*/{stage}.json"))
        if not paths:
            raise FileNotFoundError(
                f"{runs} holds no SEED/{stage}.json; score it with `cropvlm-train eval --out` first"
            )
        means[stage] = mean(_read(path)["exact_match"][WITH_FULL][ALL] for path in paths)
    return max(means, key=means.__getitem__)


def tables(results: Results) -> str:
    """Returns all tables in Markdown. A stage that no seed has is left out."""
    found, kinds = results.stages, results.kinds
    references = results.references
    measured = references["exact_match"]
    fixed = {name: [measured[key]] for key, name in REFERENCES.items() if key in measured}
    untaught = {UNTAUGHT: [_boxes(references)]} if WITH_FULL in measured else {}
    if untaught:
        fixed[UNTAUGHT] = [measured[WITH_FULL]]
    if WITH_MARGIN in measured:
        fixed[UNTAUGHT_WITH_MARGIN] = [measured[WITH_MARGIN]]

    def exact(stage: str, cropping: str = WITH_FULL) -> list[Mapping[str, float]]:
        return [report["exact_match"][cropping] for report in found[stage].values()]

    own = [stage for stage in (*OWN, *RIVALS) if stage in found]
    names = {stage: STAGES[stage] for stage in found}
    rewarded = [stage for stage in ("accuracy", "log_likelihood", "long") if stage in found]
    parts = [
        "Exact match in per cent with each cropper (the paper's Table 2)",
        _table("cropper", kinds, {**fixed, **{names[s]: exact(s) for s in own}}),
        "Boxes against the true ones, in per cent (Table 7)",
        _table(
            "cropper",
            [*BOXES.values(), "exact match"],
            untaught | {names[stage]: [_boxes(report) for report in found[stage].values()] for stage in found},
        ),
        "Exact match with and without the full image (Table 9)",
        _table(
            "cropper, what the target sees",
            kinds,
            {
                f"{names[stage]}, {what}": exact(stage, cropping)
                for stage in rewarded
                for what, cropping in (("crop alone", ALONE), ("full image + crop", WITH_FULL))
            },
        ),
        "Exact match by where the boxes of SFT came from (Table 10)",
        _table("cropper", kinds, {names[stage]: exact(stage) for stage in found if stage not in SAME_BOXES}),
    ]
    seeds = {stage: len(reports) for stage, reports in found.items()}
    parts.append("Means over seeds, ± their standard deviation. Seeds: " + _counted(seeds) + ".")
    return "\n\n".join(parts)


def _boxes(report: Report) -> dict[str, float]:
    measured = {name: report["boxes"][key] for key, name in BOXES.items()}
    return {**measured, "exact match": report["exact_match"][WITH_FULL][ALL]}


def _table(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """A table with a row for each name: mean and deviation of each column over the name's scores, in per cent."""
    cells = {name: [_spread([score[c] for score in scores]) for c in columns] for name, scores in rows.items()}
    return table(title, columns, cells)


def _spread(values: Sequence[float]) -> str:
    spread = f" ± {100 * stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.1f}{spread}"


def _counted(seeds: Mapping[str, int]) -> str:
    return ", ".join(f"{STAGES[stage]} {count}" for stage, count in seeds.items())


def _read(path: Path) -> Report:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; write it with `cropvlm-train eval --out {path}`")
    return read_json(path)["held_out"]
