"""What processes without a shared disk agree on; two real ones are in `tests/grpo/train/test_processes.py`."""

from __future__ import annotations

import pytest
import torch
from support.processes import launch_program

from cropvlm_trainer.training.processes.ranks import check_same, digest, from_first, sum_over_ranks


def test_one_process_is_the_first():
    cpu = torch.device("cpu")
    assert from_first(lambda: {"step": 3}, cpu) == {"step": 3}
    assert sum_over_ranks({"a": 2.0}, cpu) == {"a": 2.0}
    check_same({"weights": "x"}, "")

    def refused():
        raise ValueError("another run")

    with pytest.raises(ValueError, match="another run"):
        from_first(refused, cpu)


def test_a_hash_is_of_values_in_any_precision():
    values = [torch.arange(6.0).reshape(2, 3), torch.tensor(1)]
    assert digest(values) == digest([value.clone() for value in values])
    values[0][1, 2] += 1e-6
    assert digest(values) != digest([torch.arange(6.0).reshape(2, 3), torch.tensor(1)])
    half = torch.arange(6).bfloat16()
    assert digest([half]) == digest([half.clone()]) != digest([half.float()])


DIFFERING = """
import os, torch
from torch import distributed
from cropvlm_trainer.training.processes.ranks import check_same, digest
distributed.init_process_group("gloo")
rank = distributed.get_rank()
weights, optimizer = [torch.zeros(3)], [torch.full((3,), 0.5 + 1e-6 * rank)]
check_same({"step": "2", "weights": digest(weights)}, "these are the same")
check_same({"step": "2", "weights": digest(weights), "optimizer": digest(optimizer)}, "report it")
"""


def test_processes_whose_state_differs_end(tmp_path):
    (tmp_path / "differing.py").write_text(DIFFERING)
    done = launch_program(tmp_path / "differing.py")
    assert done.returncode != 0
    assert done.stderr.count("ValueError: process 1 has another optimizer than process 0; report it") == 2
