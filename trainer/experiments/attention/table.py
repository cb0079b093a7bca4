"""Sums up the scores that `measure.sh` made: `OUT.json` and the table of `OUT.md`.

python experiments/attention/table.py runs/attention/scores results/attention
"""

import argparse
import json
from pathlib import Path

NAMES = {
    "trained": "trained cropper (cropvlm-mini)",
    **{f"{m}-{i}": f"{m}, target's layer {i}" for m in ("rel-att", "grad-att") for i in range(4)},
    "rel-att-192": "rel-att, target's layer 2, at 192 px (4 tiles and the global view)",
    "grad-att-192": "grad-att, target's layer 2, at 192 px (4 tiles and the global view)",
    "rel-att-cropper": "rel-att, trained cropper's layer 2",
    "grad-att-cropper": "grad-att, trained cropper's layer 2",
}
SEEN = "full image + cropper"


def rows(folder: Path) -> list[dict]:
    """The scores in 0..1, first those without a cropper."""
    trained = json.loads((folder / "trained.json").read_text(encoding="utf-8"))["held_out"]
    found = [
        {"name": name, "exact_match": trained["exact_match"][name]["all"]}
        for name in ("full image", "full image + true box", "full image + random box")
    ]
    for name, title in NAMES.items():
        path = folder / f"{name}.json"
        if path.exists():
            report = json.loads(path.read_text(encoding="utf-8"))["held_out"]
            found.append({"name": title, "exact_match": report["exact_match"][SEEN]["all"], **report["boxes"]})
    return found


def table(scores: list[dict]) -> str:
    columns = {"exact_match": "answers right", "recall": "recall", "full_recall": "full recall", "size": "size"}
    lines = ["| the target sees | " + " | ".join(columns.values()) + " |", "|---" * (len(columns) + 1) + "|"]
    for score in scores:
        cells = [f"{100 * score[key]:.1f} %" if key in score else "" for key in columns]
        lines.append(f"| {score['name']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scores", type=Path, help="the folder of the scores")
    parser.add_argument("out", type=Path, help="without a suffix")
    arguments = parser.parse_args()
    found = rows(arguments.scores)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(table(found))
