"""Reading from the hub: the real client and the real `datasets` against a small server, without a network."""

import json
import os
import subprocess
import sys
import threading

import pytest
from support.dataset_files import picture, write_docvqa
from support.hub_server import Hub

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    server = Hub("lmms-lab/DocVQA", write_docvqa(tmp_path_factory.mktemp("hub")), SHA)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def build(hub_url, home, *sources):
    # The client reads the hub's address when it is imported, so it runs in a process of its own.
    environment = {**os.environ, "HF_ENDPOINT": hub_url, "HF_HOME": str(home / "hf"), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "cropvlm_trainer.cli", "data", "build", "--out", str(home / "set")]
    return subprocess.run([*command, "--source", *sources], env=environment, capture_output=True, text=True)


def test_both_sets_of_a_repository_that_does_not_list_its_train_files(hub, tmp_path):
    done = build(hub.url, tmp_path, "docvqa", "infographicvqa")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "set" / "manifest.jsonl").read_text().splitlines()]
    assert [(row["source"], row["question"]) for row in rows] == [
        *[("docvqa", f"Which page is {n}?") for n in range(4)],
        *[("infographicvqa", f"How many of {n}?") for n in range(3)],
    ]
    assert (tmp_path / "set" / rows[0]["image"]).read_bytes() == picture(20, "PNG")
    state = json.loads((tmp_path / "set" / "build.json").read_text())
    assert state["revisions"] == [SHA, SHA]
    files = [path for path in hub.asked if "/resolve/" in path and ".parquet" in path]
    assert files and all(f"/resolve/{SHA}/" in path and "/train-" in path for path in files)


def test_what_the_hub_does_not_have_is_said_with_the_way_out(hub, tmp_path):
    done = build(hub.url, tmp_path, "stvqa")
    assert done.returncode == 2
    assert "danjacobellis/stvqa_task1" in done.stderr and "--source stvqa=FOLDER" in done.stderr
    assert not (tmp_path / "set").exists()
