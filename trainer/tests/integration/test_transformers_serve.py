"""GRPO with a reward from `transformers serve`, a real server of another project, on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.lines import read_lines
from support.runs.run import TINY_RUN, log, run_command, write_base_and_pages

from cropvlm_trainer.cli import main
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint

PYTHON = os.environ.get("TRANSFORMERS_SERVE_PYTHON", sys.executable)
"""the Python of an environment with `transformers[serving]`, which need not be that of the trainer"""
MISSING = (
    f"{PYTHON} has no fastapi and uvicorn for `transformers serve`: pip install 'transformers[serving]==5.18.0' there, "
    "or name another environment's Python in TRANSFORMERS_SERVE_PYTHON"
)


@contextmanager
def serving(model: Path, log: Path) -> Iterator[str]:
    """Serves a model's folder, and gives the URL up to `/v1`."""
    code = "from transformers.cli.transformers import main; main()"
    command = [PYTHON, "-c", code, "serve", str(model), "--host", "127.0.0.1", "--port", "0", "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, env=environment, cwd=log.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            told = []
            for line in server.stdout:
                told.append(line)
                if found := re.search(r"Uvicorn running on (http://\S+)", line):
                    break
            else:
                pytest.fail("transformers serve ended:\n" + "".join(told))
            yield f"{found[1]}/v1"
        finally:
            server.terminate()
            log.write_text("".join(told) + server.stdout.read())


@pytest.mark.skipif(
    subprocess.run([PYTHON, "-c", "import fastapi, uvicorn"], capture_output=True).returncode != 0, reason=MISSING
)
def test_two_steps_with_what_transformers_serve_answers(tmp_path):
    write_base_and_pages(tmp_path, 2, questions_per_page=1)
    save_checkpoint(tiny_model(3), TINY, tiny_tokenizer(), tmp_path / "served", TRAINING)
    with serving(tmp_path / "served", tmp_path / "server.log") as url:
        # The server refuses any other name than that with which it was started.
        endpoint = {"kind": "endpoint", "url": url, "model": str(tmp_path / "served"), "max_tokens": 8, "timeout": 300}
        reward = "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in endpoint.items()) + " }"
        settings = {"reward": reward, "measure": "anls", "reward_resolution": 64, "group": 2}
        settings |= {"batch": 2, "max_steps": 2, "epochs": 2}
        command = run_command("grpo", tmp_path, tmp_path / "run", {**TINY_RUN, **settings})
        assert main(command) == 0, (tmp_path / "server.log").read_text()
    rows = log(tmp_path / "run")
    told = (tmp_path / "server.log").read_text()
    assert [(row["step"], row["failed"]) for row in rows] == [(1, 0.0), (2, 0.0)], told
    answers = [row["answer"] for row in read_lines(tmp_path / "run" / "reward.answers.jsonl")]
    assert len(answers) >= 2 and any(answers), "the served model answers from the full image and the crop"
