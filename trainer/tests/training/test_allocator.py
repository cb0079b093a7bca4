"""glibc keeps what is freed: blocks that are taken again cost no new pages."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import resource, sys
import numpy as np
from cropvlm_trainer.training.allocator import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.empty(64 * 2**20, np.uint8).fill(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

found = [faults() for _ in range(4)]
print(sum(found[1:]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_a_block_that_is_taken_again_has_its_pages():
    faults = {}
    for how in ("keep", "leave"):
        command = [sys.executable, "-c", CODE, how]
        # Huge pages are numpy's own choice, and would hide the count.
        environment = {"NUMPY_MADVISE_HUGEPAGE": "0", "PYTHONPATH": ":".join(sys.path)}
        faults[how] = int(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert faults["keep"] < 100 and faults["leave"] > 10_000


HOLES = """
from cropvlm_trainer.training.allocator import give_back_freed_memory, keep_freed_memory

assert keep_freed_memory()

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

blocks, stays = [], []
for _ in range(200):
    blocks.append(bytearray(b"x") * 2**20)
    stays.append(bytearray(b"x") * 3000)
before = resident()
blocks.clear()
freed = resident()
give_back_freed_memory()
print(before, freed, resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="malloc_trim is glibc's")
def test_holes_between_blocks_in_use_go_back():
    environment = {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", HOLES]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    before, freed, given_back = map(float, done.stdout.split())
    assert freed > before - 50, "it is kept"
    assert given_back < before - 150
