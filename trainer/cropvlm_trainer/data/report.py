"""What became of every row that a build read, in numbers and in words."""

from __future__ import annotations

from collections import Counter
from pathlib import Path


def summary(found: list[dict], rows: list[dict], dropped: list[tuple[str, bool]], rejected: list[dict]) -> dict:
    """By source: rows read, duplicates (and those whose answers were joined to the row kept), rejected by reason.

    `found`: the usable rows; `rows`: what is left of them in the manifest; `dropped`: (source, had other answers).
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
    lines = [f"{out / 'manifest.jsonl'}: {counts['rows']} questions on {counts['images']} images"]
    for name, count in counts["sources"].items():
        rejected = sum(count["rejected"].values())
        reasons = ", ".join(f"{number} {reason}" for reason, number in count["rejected"].items())
        lines.append(
            f"  {name}: {count['read']} rows read, {count['duplicates']} dropped as duplicates "
            f"({count['duplicates_with_other_answers']} with answers of their own, kept), "
            f"{rejected} rejected" + (f" ({reasons}; see {out / 'rejected.jsonl'})" if rejected else "")
        )
    return "\n".join(lines)
