"""The TOML files that come with the trainer, read for both stages."""

import re
from pathlib import Path

import pytest
from support.paths import TRAINER

from cropvlm_trainer.evaluation import summary
from cropvlm_trainer.full_sft.config import TABLE, FullSftConfig
from cropvlm_trainer.idefics3.lora import LoraSettings
from cropvlm_trainer.training.config import load_config
from cropvlm_trainer.training.stages import STAGES, GrpoConfig, SftConfig

CONFIGS = TRAINER / "configs"
MINIATURE = TRAINER / "experiments" / "miniature"


def read(name: str, folder: Path = CONFIGS) -> tuple[SftConfig, GrpoConfig]:
    return tuple(load_config(STAGES, stage, folder / f"{name}.toml", {}) for stage in ("sft", "grpo"))


def test_no_file_goes_unread():
    assert sorted(path.stem for path in CONFIGS.glob("*.toml")) == ["paper-1024", "paper-2048", "paper-512"]
    assert sorted(path.stem for path in MINIATURE.glob("*.toml")) == ["grpo", "sft"]


@pytest.mark.parametrize("resolution", [512, 1024, 2048])
def test_the_papers_values_are_the_defaults(resolution):
    """The files spell out the contract's values ("Training"), which are also the defaults."""
    sft, grpo = read(f"paper-{resolution}")
    base, mixture = Path("models/SmolVLM-256M-Instruct"), Path("data/mixture")
    assert sft == SftConfig(base, mixture / "sft-seeded.jsonl", Path(f"runs/sft-{resolution}"), resolution=resolution)
    assert grpo == GrpoConfig(
        base,
        mixture / "grpo.jsonl",
        Path(f"runs/grpo-{resolution}"),
        adapter=Path(f"runs/sft-{resolution}/adapter"),
        resolution=resolution,
    )
    for config, rate, clip in ((sft, 5e-5, 1.0), (grpo, 5e-6, 0.1)):
        assert (config.learning_rate, config.max_grad_norm, config.batch, config.epochs) == (rate, clip, 16, 1)
        assert (config.warmup, config.precision, config.lora) == (0.03, "bf16", LoraSettings(128, 256, 0.05))
    assert (grpo.group, grpo.temperature, grpo.beta, grpo.max_new_tokens) == (6, 0.8, 0.01, 32)
    assert (grpo.reward, grpo.reward_resolution, grpo.recipe) == ("log_likelihood", 512, "paper")


def test_the_miniature():
    sft = load_config({TABLE: FullSftConfig}, TABLE, MINIATURE / "sft.toml", {})
    grpo = load_config(STAGES, "grpo", MINIATURE / "grpo.toml", {})
    assert sft.base == grpo.reward_base == Path("runs/mini/base/checkpoint")
    assert grpo.base == sft.out / "checkpoint" and grpo.adapter is None
    assert (sft.tile, grpo.resolution, grpo.reward_resolution) == (96, 96, 96)
    assert sft.dev is None, "true boxes, on which nothing is to be decided"
    assert (grpo.measure, grpo.group, grpo.temperature, grpo.redraws) == ("exact_match", 16, 1.0, 1)
    assert not grpo.gradient_checkpointing and grpo.micro_batch == 16


def test_the_miniature_scores_stages_that_the_tables_know():
    script = (MINIATURE / "mini.sh").read_text()
    (scored,) = re.findall(r"for stage in (.+) \$reward; do", script)
    assert set(scored.split()) <= set(summary.STAGES) and "margin-sft" in summary.RIVALS
    assert {"accuracy", "log_likelihood"} <= set(summary.OWN), "the rewards that the pilots choose from"
    assert set(re.findall(r"chosen ([a-z]+-sft .+)\)", script)[0].split()) <= set(summary.OWN), "no rival is chosen"
