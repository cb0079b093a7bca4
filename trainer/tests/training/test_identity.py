"""With what a run may be gone on with: the same settings, files of the same content."""

import dataclasses
from pathlib import Path

import pytest

from cropvlm_trainer.training.identity import FREE, identity, refuse_other, refuse_past
from cropvlm_trainer.training.reward_config import CheckpointReward, EndpointReward
from cropvlm_trainer.training.stages import GrpoConfig, SftConfig


@pytest.fixture
def config(tmp_path) -> GrpoConfig:
    for name in ("base", "adapter"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_text(name)
    (tmp_path / "rows.jsonl").write_text("rows")
    return GrpoConfig(tmp_path / "base", tmp_path / "rows.jsonl", tmp_path / "out", adapter=tmp_path / "adapter")


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
    (moved / "model.safetensors" if moved.is_dir() else moved).write_text("changed")
    with pytest.raises(ValueError, match=rf"a run with another {name} \(the content of .*moved-.*\); give another out"):
        refuse_other(config.out, other(config, **{name: moved}), before)


def test_how_a_rewards_model_is_reached_may_change_but_not_the_model(config):
    reward = EndpointReward("endpoint", "http://x/v1", "big")
    before = other(config, reward=reward)
    faster = dataclasses.replace(reward, concurrency=64, timeout=5.0, key_env="KEY")
    refuse_other(config.out, other(config, reward=faster), before)
    with pytest.raises(ValueError, match="with another reward; give another out"):
        refuse_other(config.out, other(config, reward=dataclasses.replace(reward, model="small")), before)
    first = other(config, reward=CheckpointReward("checkpoint", config.base))
    refuse_other(config.out, other(config, reward=CheckpointReward("checkpoint", config.base, "cuda:1")), first)
    with pytest.raises(ValueError, match="with another reward"):
        refuse_other(config.out, other(config, reward=CheckpointReward("checkpoint", config.adapter)), first)


def test_another_adapter_or_none(config):
    with pytest.raises(ValueError, match=r"another adapter \(the content of .*adapter\)"):
        refuse_other(config.out, other(config, adapter=None), identity(config))


def test_runs_of_earlier_versions_are_known_by_their_paths(config):
    before = {key: value for key, value in identity(config).items() if key != "sha256"}
    refuse_other(config.out, identity(config), before)
    with pytest.raises(ValueError, match="with another data;"):
        refuse_other(config.out, identity(config), {**before, "data": "another.jsonl"})


def test_more_steps_than_wanted(config):
    refuse_past(config.out, 5, 5)
    with pytest.raises(ValueError, match="out has taken 6 steps, past the 5 of max_steps; raise it"):
        refuse_past(config.out, 6, 5)
