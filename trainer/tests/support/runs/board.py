"""What TensorBoard shows of a run."""

from __future__ import annotations

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def events(out: Path) -> list[dict]:
    """TensorBoard's points as rows like the log's."""
    accumulator = EventAccumulator(str(out / "events"), size_guidance={"scalars": 0})
    accumulator.Reload()
    rows: dict[int, dict] = {}
    for name in accumulator.Tags()["scalars"]:
        for event in accumulator.Scalars(name):
            row = rows.setdefault(event.step, {"step": event.step})
            assert name not in row, f"{name} stands twice at step {event.step}"
            row[name] = event.value
    return [rows[step] for step in sorted(rows)]
