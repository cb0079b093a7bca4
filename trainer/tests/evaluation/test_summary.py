"""Scores of several seeds side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cropvlm_trainer.cli import main

CROPPED = ("full image + cropper", "cropper's crop alone")


def report(scores: dict[str, float], iou: float = 0.5, target: str = "base") -> dict:
    boxes = {"iou": iou, "recall": 0.9, "full_recall": 0.8, "size": 0.1, "valid": 1.0}
    exact = {name: {"all": score, "receipt": score / 2, "shapes": 1.0} for name, score in scores.items()}
    return {"held_out": {"exact_match": exact, "boxes": boxes, "options": {"data": "pages", "target": target}}}


def write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.fixture
def runs(tmp_path) -> Path:
    fixed = {"full image": 0.01, "full image + random box": 0.02, "full image + true box": 0.9}
    write(tmp_path / "references.json", report(fixed))
    for seed, sft, tuned in (("1", 0.2, 0.7), ("2", 0.4, 0.6)):
        write(tmp_path / seed / "sft.json", report(dict(zip(CROPPED, (sft, sft - 0.1), strict=True))))
        write(tmp_path / seed / "log_likelihood.json", report(dict(zip(CROPPED, (tuned, 0.5), strict=True)), iou=0.6))
    return tmp_path


def test_tables_hold_means_and_deviations(runs):
    assert main(["summary", "--runs", str(runs), "--out", str(runs / "results/miniature.json")]) == 0
    text = (runs / "results/miniature.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert "| cropper | receipt | shapes | all |" in lines
    assert "| no crop | 0.5 | 100.0 | 1.0 |" in lines
    assert "| true box | 45.0 | 100.0 | 90.0 |" in lines
    # The mean of 20 and 40 is 30, their sample standard deviation 14.1.
    assert "untaught" not in text
    assert lines.count("| SFT | 15.0 ± 7.1 | 100.0 ± 0.0 | 30.0 ± 14.1 |") == 2, "Tables 2 and 10"
    boxes = "60.0 ± 0.0 | 90.0 ± 0.0 | 80.0 ± 0.0 | 10.0 ± 0.0 | 100.0 ± 0.0 | 65.0 ± 7.1"
    assert f"| SFT + GRPO, log-likelihood | {boxes} |" in lines
    assert "| SFT + GRPO, log-likelihood, crop alone | 25.0 ± 0.0 | 100.0 ± 0.0 | 50.0 ± 0.0 |" in lines
    assert "Seeds: SFT 2, SFT + GRPO, log-likelihood 2." in text
    figures = json.loads((runs / "results/miniature.json").read_text())
    assert figures["stages"]["sft"]["2"]["exact_match"]["full image + cropper"]["all"] == 0.4


def test_the_base_itself_is_a_row_where_it_was_measured(runs):
    write(
        runs / "references.json",
        report(
            {"full image + cropper": 0.25, "full image": 0, "full image + random box": 0, "full image + true box": 1}
        ),
    )
    assert main(["summary", "--runs", str(runs), "--out", str(runs / "x.json")]) == 0
    text = (runs / "x.md").read_text()
    assert "| the base as cropper, untaught | 12.5 | 100.0 | 25.0 |" in text
    assert "| the base as cropper, untaught | 50.0 | 90.0 | 80.0 | 10.0 | 100.0 | 25.0 |" in text


def test_the_best_is_named(runs, capsys):
    write(runs / "3/true-sft.json", report(dict(zip(CROPPED, (0.99, 0.9), strict=True))))
    assert main(["summary", "--runs", str(runs), "--best"]) == 0
    assert capsys.readouterr().out == "1/log_likelihood\n"


def test_the_best_of_some_stages_is_named_by_its_mean(runs, capsys):
    """The best single cropper is one of log_likelihood's, but the mean of `text-sft` is higher."""
    for seed in ("1", "2"):
        write(runs / seed / "text-sft.json", report(dict(zip(CROPPED, (0.68, 0.5), strict=True))))
    assert main(["summary", "--runs", str(runs), "--best-of", "sft", "log_likelihood", "text-sft"]) == 0
    assert main(["summary", "--runs", str(runs), "--best-of", "sft", "log_likelihood"]) == 0
    assert capsys.readouterr().out.split() == ["text-sft", "log_likelihood"]


def test_the_rival_and_the_margin_stand_in_the_first_table(runs):
    fixed = {"full image": 0, "full image + whole page": 0.03, "full image + random box": 0, "full image + true box": 1}
    cropped = {"full image + cropper": 0.25, "full image + cropper with margin": 0.5}
    write(runs / "references.json", report(fixed | cropped))
    write(runs / "1/margin-sft.json", report(dict(zip(CROPPED, (0.66, 0.5), strict=True))))
    assert main(["summary", "--runs", str(runs), "--out", str(runs / "x.json")]) == 0
    table = (runs / "x.md").read_text().split("\n\n")[1]
    assert "| the whole page as the crop | 1.5 | 100.0 | 3.0 |" in table
    assert "| the base as cropper, untaught, with the margin | 25.0 | 100.0 | 50.0 |" in table
    assert "| SFT, true boxes with the reader's margin | 33.0 | 100.0 | 66.0 |" in table


def test_what_cannot_be_compared_is_refused(runs, capsys):
    write(runs / "2/sft.json", report(dict(zip(CROPPED, (0.4, 0.3), strict=True)), target="another"))
    assert main(["summary", "--runs", str(runs), "--out", str(runs / "x.json")]) == 2
    assert "2/sft.json was measured with another --target" in capsys.readouterr().err
    (runs / "references.json").unlink()
    assert main(["summary", "--runs", str(runs), "--out", str(runs / "x.json")]) == 2
    assert "references.json is missing" in capsys.readouterr().err
    assert main(["summary", "--runs", str(runs), "--best-of", "sft", "long"]) == 2
    assert "holds no SEED/long.json" in capsys.readouterr().err
    assert main(["summary", "--runs", str(runs / "none"), "--best"]) == 2
    assert "holds no SEED/STAGE.json" in capsys.readouterr().err
    both = ["--best", "--best-of", "sft"]
    for more, says in (([], "--out --best --best-of is required"), (both, "not allowed with argument --best")):
        with pytest.raises(SystemExit):
            main(["summary", "--runs", str(runs), *more])
        assert says in capsys.readouterr().err
