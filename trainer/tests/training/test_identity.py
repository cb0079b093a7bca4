"""With what a run may be gone on with: the same settings, files of the same content."""

import dataclasses
import json
from pathlib import Path

import pytest

from cropvlm_trainer.training.identity import FREE, identity, refuse_other, refuse_past, remembering
from cropvlm_trainer.training.reward_config import CheckpointReward, EndpointReward, ReaderReward
from cropvlm_trainer.training.stages import GrpoConfig, SftConfig


@pytest.fixture
def config(tmp_path) -> GrpoConfig:
    for name in ("base", "adapter"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_text(name)
    write_rows(tmp_path / "rows.jsonl")
    return GrpoConfig(tmp_path / "base", tmp_path / "rows.jsonl", tmp_path / "out", adapter=tmp_path / "adapter")


def write_rows(path: Path, question: str = "What?") -> Path:
    (path.parent / "images").mkdir(exist_ok=True)
    (path.parent / "images" / "a.png").write_bytes(b"12345")
    path.write_text(json.dumps({"image": "images/a.png", "question": question}))
    return path


def other(config: GrpoConfig, **changed) -> dict:
    return identity(dataclasses.replace(config, **changed))


def test_the_free_settings_are_settings():
    names = {field.name for stage in (SftConfig, GrpoConfig) for field in dataclasses.fields(stage)}
    assert set(FREE) < names


@pytest.mark.parametrize(
    "changed",
    [
        {"micro_batch": 4},
        {"sample_every": 0},
        {"save_every": 7},
        {"max_steps": 9},
        {"gradient_checkpointing": False},
        {"out": Path("elsewhere")},
    ],
)
def test_what_changes_no_mathematics_may_change(config, changed):
    refuse_other(config.out, other(config, **changed), identity(config))


def test_what_changes_the_mathematics_is_named(config):
    asked = other(config, beta=0.5, seed=3, batch=32)
    with pytest.raises(ValueError, match="out holds a run with another batch, beta, seed; give another out"):
        refuse_other(config.out, asked, identity(config))


@pytest.mark.parametrize("name", ["data", "base", "adapter"])
def test_files_may_move_but_not_change(config, name):
    before, path = identity(config), getattr(config, name)
    moved = path.with_name(f"moved-{path.name}")
    path.rename(moved)
    refuse_other(config.out, other(config, **{name: moved}), before)
    if moved.is_dir():
        (moved / "model.safetensors").write_text("changed")
    else:
        write_rows(moved, "Who?")
    with pytest.raises(ValueError, match=rf"a run with another {name} \(the content of .*moved-.*\); give another out"):
        refuse_other(config.out, other(config, **{name: moved}), before)


def test_how_a_rewards_model_is_reached_may_change_but_not_the_model(config):
    reward = EndpointReward("endpoint", "http://x/v1", "big")
    before = other(config, reward=reward)
    faster = dataclasses.replace(reward, url="http://y/v1", concurrency=64, timeout=5.0, key_env="KEY")
    refuse_other(config.out, other(config, reward=faster), before)
    with pytest.raises(ValueError, match="with another reward; give another out"):
        refuse_other(config.out, other(config, reward=dataclasses.replace(reward, model="small")), before)
    first = other(config, reward=CheckpointReward("checkpoint", config.base))
    refuse_other(config.out, other(config, reward=CheckpointReward("checkpoint", config.base, "cuda:1")), first)
    with pytest.raises(ValueError, match="with another reward"):
        refuse_other(config.out, other(config, reward=CheckpointReward("checkpoint", config.adapter)), first)


@pytest.mark.parametrize("name", ["measure", "reward.function"])
def test_a_function_of_ones_own_may_not_change(config, tmp_path, monkeypatch, name):
    monkeypatch.syspath_prepend(tmp_path)
    module = f"own_{name.replace('.', '_')}"
    (tmp_path / f"{module}.py").write_text("def rate(*_): return 0.0\n")
    reward = ReaderReward("reader", f"{module}:rate" if name == "reward.function" else "ocr")
    changed = {"reward": reward} | ({"measure": f"{module}:rate"} if name == "measure" else {})
    before = other(config, **changed)
    refuse_other(config.out, other(config, **changed), before)
    (tmp_path / f"{module}.py").write_text("def rate(*_): return 1.0\n")
    with pytest.raises(ValueError, match=f"a run with another {name}"):
        refuse_other(config.out, other(config, **changed), before)
    with pytest.raises(ValueError, match="measure = 'no_such:rate' is not there"):
        other(config, reward=reward, measure="no_such:rate")


def test_another_adapter_or_none(config):
    with pytest.raises(ValueError, match=r"another adapter \(the content of .*adapter\)"):
        refuse_other(config.out, other(config, adapter=None), identity(config))


@pytest.mark.parametrize(
    ("file", "named"),
    [("images/a.png", "data"), ("base/config.json", "base"), ("base/tokenizer.json", "base")],
)
def test_replaced_images_and_tokenizers_are_named(config, tmp_path, file, named):
    for name in ("base/config.json", "base/tokenizer.json"):
        (tmp_path / name).write_text("{}")
    before = identity(config)
    (tmp_path / file).write_text("of another size")
    with pytest.raises(ValueError, match=rf"a run with another {named} \(the content of .*\); give another out"):
        refuse_other(config.out, identity(config), before)


def test_scoring_may_begin_and_end_but_not_on_other_rows(config, tmp_path):
    scored, elsewhere = (
        other(config, eval_data=write_rows(tmp_path / name, name), eval_every=2) for name in ("dev.jsonl", "x.jsonl")
    )
    plain = identity(config)
    refuse_other(config.out, scored, plain)
    refuse_other(config.out, plain, scored)
    for there in (scored, remembering(plain, scored)):
        refuse_other(config.out, scored, there)
        with pytest.raises(ValueError, match=r"a run with another eval_data \(the content of .*x\.jsonl\)"):
            refuse_other(config.out, elsewhere, there)
    assert remembering(scored, elsewhere) == scored


def test_a_run_of_an_earlier_version_is_refused(config):
    now = identity(config)
    hashes = {name: value for name, value in now["sha256"].items() if name != "form"}
    bare = {key: value for key, value in now.items() if key != "sha256"}
    for before in (bare, bare | {"sha256": hashes}):
        with pytest.raises(ValueError, match="holds a run of an earlier version, which did not record all files"):
            refuse_other(config.out, now, before)


def test_more_steps_than_wanted(config):
    refuse_past(config.out, 5, 5)
    with pytest.raises(ValueError, match="out has taken 6 steps, past the 5 of max_steps; raise it"):
        refuse_past(config.out, 6, 5)
