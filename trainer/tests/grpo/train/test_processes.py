"""GRPO in two processes is GRPO in one."""

from __future__ import annotations

import pytest
from support.processes import launch_two, run_in_two
from support.runs.grpo import STEPS, command
from support.runs.run import log, trained


def test_two_processes_are_one(given, whole, tmp_path):
    run_in_two(command(given, tmp_path / "two"), tmp_path / "world")
    one, two = log(whole), log(tmp_path / "two")
    assert len(one) == len(two) == STEPS
    for row, other in zip(one, two, strict=True):
        for name in ("loss", "reward", "kl", "valid", "area", "grad_norm"):
            assert other[name] == pytest.approx(row[name], rel=2e-3, abs=1e-5), (row["step"], name)
    difference = (trained(whole) - trained(tmp_path / "two")).abs().max()
    assert difference < 2e-4, "Adam's first steps are of size 1e-3: the processes took the same ones"


def test_without_a_shared_disk_all_go_on_with_what_the_first_process_has(given, whole, tmp_path):
    """Each process has a run folder of its own, as on two machines; the second's has no state."""
    scored = {"eval_data": given / "pages" / "manifest.jsonl", "eval_every": 2}
    run_in_two(command(given, tmp_path / "out-RANK", **scored, max_steps=2), tmp_path / "world")
    assert (tmp_path / "out-0" / "state.pt").exists() and not (tmp_path / "out-1").exists()
    run_in_two(command(given, tmp_path / "out-RANK", **scored), tmp_path / "again")
    assert [row["step"] for row in log(tmp_path / "out-0")] == [1, 2, 3, 4]
    assert [row["step"] for row in log(tmp_path / "out-0") if "eval/reward" in row] == [2, 4]
    assert log(tmp_path / "out-0")[-1]["reward"] == pytest.approx(log(whole)[-1]["reward"], rel=2e-3)
    # The first two steps were those of a schedule of two steps, so the adapter is another than `whole`'s.
    assert (trained(whole) - trained(tmp_path / "out-0")).abs().max() < 2e-3
    rows = given / "pages" / "manifest-1.jsonl"
    rows.write_text((given / "pages" / "manifest.jsonl").read_text().replace("What", "what", 1))
    (given / "pages" / "manifest-0.jsonl").write_text((given / "pages" / "manifest.jsonl").read_text())
    other = launch_two(
        command(given, tmp_path / "other", data=rows.with_name("manifest-RANK.jsonl")), tmp_path / "third"
    )
    assert other.returncode != 0
    assert "process 1 has another data (" in other.stderr and "give all processes the same" in other.stderr
