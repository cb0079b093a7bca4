"""Commands of the trainer in several processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from support.paths import TRAINER

PROGRAM = """
import json, os, sys
from accelerate import PartialState
from cropvlm_trainer.cli import main
status = main([part.replace("RANK", os.environ["RANK"]) for part in json.loads(sys.argv[1])])
state = PartialState()
with open(os.environ["WORLD"] + f".{state.process_index}", "w") as file:
    file.write(str(state.num_processes))
sys.exit(status)
"""


def run_in_two(command: Sequence[str], world: Path) -> None:
    """Runs a command in two processes by torchrun, and asserts that they know of each other and end well.

    `world`: a path; each process writes the number of processes that it knows beside it. `RANK` in an argument becomes
    the number of the process.
    """
    done = launch_two(command, world)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert [world.with_name(f"{world.name}.{index}").read_text() for index in range(2)] == ["2", "2"]


def launch_two(command: Sequence[str], world: Path) -> subprocess.CompletedProcess:
    """Like `run_in_two`, however the processes end."""
    program = world.with_suffix(".py")
    program.write_text(PROGRAM)
    return launch_program(program, json.dumps(list(command)), WORLD=str(world))


def launch_program(program: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs a Python file in two processes by torchrun."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "0"]
    launch += ["--standalone", str(program), *arguments]
    around = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TRAINER), **environment}
    return subprocess.run(launch, capture_output=True, text=True, env=around, timeout=280)
