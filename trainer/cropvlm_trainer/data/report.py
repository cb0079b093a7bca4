"""Counts what became of the rows that a build read, and words the counts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from cropvlm_trainer.rows import DATASET


def summary(found: list[dict], rows: list[dict], dropped: list[tuple[str, bool]], rejected: list[dict]) -> dict:
    """Returns the counts that `build.json` holds: rows and images in all, and by source.

    By source: rows read, duplicates, duplicates that had further answers, and rejected rows by reason. `found` are the
    usable rows, `rows` those that are left after merging, `dropped` the duplicates as `merge` returns them.
    """
    sources = {}
    for name in dict.fromkeys(row["source"] for row in [*found, *rejected]):
        reasons = Counter(row["reason"] for row in rejected if row["source"] == name)
        usable = sum(row["source"] == name for row in found)
        sources[name] = {
            "read": usable + reasons.total(),
            "duplicates": sum(source == name for source, _ in dropped),
            "duplicates_with_other_answers": sum(source == name and other for source, other in dropped),
            "rejected": dict(sorted(reasons.items())),
        }
    return {"rows": len(rows), "images": len({row["image"] for row in rows}), "sources": sources}


def report(out: Path, counts: dict) -> str:
    """Returns the counts of `summary` in words."""
    lines = [f"{out / DATASET}: {counts['rows']} questions on {counts['images']} images"]
    for name, count in counts["sources"].items():
        rejected = sum(count["rejected"].values())
        reasons = ", ".join(f"{number} {reason}" for reason, number in count["rejected"].items())
        lines.append(
            f"  {name}: {count['read']} rows read, {count['duplicates']} dropped as duplicates "
            f"({count['duplicates_with_other_answers']} with answers of their own, kept), "
            f"{rejected} rejected" + (f" ({reasons}; see {out / 'rejected.jsonl'})" if rejected else "")
        )
    return "\n".join(lines)
