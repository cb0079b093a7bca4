"""The stages of the paper's training, which share one TOML file, and the command line options for it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from cropvlm_trainer.training.config import NO_UNKNOWN_KEYS, Advice, load_config, parse_override
from cropvlm_trainer.training.reward_config import OCR, EndpointReward, ReaderReward, Reward
from cropvlm_trainer.training.stage_config import Count, CountOrZero, PositiveAsInPaper, StageConfig

RecipeName = Literal["paper", "released"]
"""As in the paper's Eq. 1, or as in its released code; `grpo/loss.py` has the differences."""
Invalid = Literal["full", "penalty", "2x2"]
"""What a completion without a valid box is worth, beside its format reward of 0:

- `full`: as much as the full image in place of the crop;
- `penalty`: as much as the worst valid box of its group, so that it is never better than any;
- `2x2`: as much as the crop of 2 x 2 pixels that the paper's released code puts in its place.
"""
MEASURES = ("own", "exact_match", "vqa_accuracy", "anls", "contains", "contains_anls")
"""How right an answer is; "own": by the measure of the row's data set, that of `eval`, and for what a reader reads
"contains_anls", how well the right answer stands in it."""
Likelihood = Literal["sum", "mean"]
"""The log-likelihood of an answer, or that divided by its tokens."""
Floor = float | Literal["full"] | None
"""What a log-likelihood counts at least; "full": what it is with the full image in place of the crop."""


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class SftConfig(StageConfig):
    """Supervised fine-tuning. Every row of `data` has a `box`."""

    workers: CountOrZero = 2
    """processes that read images and cut them into tiles during training; with 0 the training process does it"""


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class GrpoConfig(StageConfig):
    """GRPO. The model in `base` is the policy, the reference and, without a `reward_base`, the reward VLM."""

    learning_rate: PositiveAsInPaper = 5e-6
    max_grad_norm: PositiveAsInPaper = 0.1
    adapter: Path | None = None
    """LoRA adapter of the SFT to start from; None starts from the base"""
    reward: Reward = "log_likelihood"
    reward_base: Path | None = None
    """checkpoint of an Idefics3 whose answers the rewards `log_likelihood` and `accuracy` are of; None: `base`. Where
    all of the base's weights were tuned to give boxes, it is the model from before that"""
    reward_resolution: Count = 512
    """longest edge of the full image and of the crop that the reward VLM sees, in pixels"""
    likelihood: Likelihood = "sum"
    """of the reward `log_likelihood`: over the answer's tokens, the end token included"""
    likelihood_floor: Floor = None
    """what a log-likelihood counts at least, below 0; "full": what it is with the full image in place of the crop;
    None: as it is. A reader that is sure of what it misreads gives values far below those of an unreadable crop"""
    measure: str = "own"
    """of accuracies: one of `MEASURES`, or a function of an answer and the right answers that gives 0..1, as
    `module:function`"""
    size_weight: Annotated[float | None, Field(gt=0), Advice("leave it out where size costs nothing")] = None
    """what a box of the whole page costs, in addition to the reward; None: boxes of any size cost nothing"""
    size_free: Annotated[float | None, Field(gt=0, lt=1), Advice("it is a share of the page, as 0.05")] = None
    """share of the page up to which a box costs nothing; None: 0"""
    invalid: Invalid | None = None
    """None: "full", and with the recipe "released" its "2x2\""""
    recipe: RecipeName = "paper"
    group: Annotated[int, Field(ge=2), Advice("advantages compare a question's boxes; the paper has {default:g}")] = 6
    """boxes drawn for each question"""
    temperature: Annotated[
        float, Field(gt=0), Advice("at 0 all boxes of a group would be the same; the paper has {default:g}")
    ] = 0.8
    """of the sampling of boxes"""
    beta: Annotated[float, Field(ge=0), Advice("the paper has {default:g}")] = 0.01
    """weight of the KL divergence from the reference; at 0 there is no reference"""
    mu: Count = 1
    """updates with the boxes drawn in a step; the learning rate moves on with each"""
    epsilon: Annotated[float, Field(gt=0, lt=1), Advice("PPO has {default:g}")] = 0.2
    """clip range: how far the ratio of new to old probabilities counts below 1, and above it without `epsilon_high`.
    Only updates after a step's first have a ratio other than 1"""
    epsilon_high: Annotated[float | None, Field(gt=0), Advice("DAPO has 0.28")] = None
    """how far the ratio counts above 1 (clip-higher, arXiv:2503.14476); None: as `epsilon`"""
    redraws: CountOrZero = 0
    """times that a group is drawn anew while all its boxes are worth the same, since it teaches nothing"""
    max_new_tokens: Count = 32
    """tokens of a drawn box, the end token included"""
    workers: CountOrZero = 2
    """threads that read images and cut them and the crops into tiles, the images of a whole step ahead at most; with 0
    the training thread does it"""
    rollouts_ahead: CountOrZero = 2
    """micro-batches of a step whose boxes are drawn while another model's rewards of earlier ones are waited for. Each
    takes the memory of its activations; losses and gradients are the same with any number"""

    @property
    def invalid_rule(self) -> Invalid:
        """`invalid`, or the recipe's."""
        return self.invalid or ("2x2" if self.recipe == "released" else "full")

    @property
    def reward_name(self) -> str:
        """What the reward is, whatever model it is of."""
        kinds = {"endpoint": "accuracy", "reader": "accuracy", "checkpoint": "log_likelihood"}
        return self.reward if isinstance(self.reward, str) else kinds[self.reward.kind]

    @property
    def is_measured(self) -> bool:
        """Whether answers are scored by the measure of each row's data set."""
        return self.reward_name == "accuracy" and self.text_measure == "own"

    @property
    def text_measure(self) -> str:
        """`measure`, or that of what a reader reads."""
        return "contains_anls" if isinstance(self.reward, ReaderReward) and self.measure == "own" else self.measure

    @model_validator(mode="after")
    def _check_reward(self) -> GrpoConfig:
        problems = []
        if self.reward_base and not isinstance(self.reward, str):
            problems.append('reward_base is for rewards that are named, as "accuracy"; leave it out')
        if self.likelihood != "sum" and self.reward_name != "log_likelihood":
            problems.append(f'likelihood = "{self.likelihood}" is for log-likelihoods; leave it out')
        if self.likelihood_floor is not None and self.reward_name != "log_likelihood":
            problems.append(f"likelihood_floor = {self.likelihood_floor!r} is for log-likelihoods; leave it out")
        if isinstance(self.likelihood_floor, float) and not self.likelihood_floor < 0:
            problems.append(f'likelihood_floor ({self.likelihood_floor:g}) must be below 0, as -7, or "full"')
        if self.measure not in MEASURES and not is_function(self.measure):
            names = ", ".join(MEASURES)
            problems.append(f"measure = {self.measure!r} is none of {names}, nor a function as module:function")
        if isinstance(self.reward, EndpointReward) and "{question}" not in (self.reward.prompt or "{question}"):
            problems.append("reward.prompt has no {question}, so that every image would be asked the same")
        if (
            isinstance(self.reward, ReaderReward)
            and self.reward.function != OCR
            and not is_function(self.reward.function)
        ):
            problems.append(
                f"reward.function = {self.reward.function!r} is neither {OCR!r} nor a function as module:function"
            )
        if self.size_free is not None and self.size_weight is None:
            problems.append("size_free says up to where size costs nothing; it needs size_weight, as 0.5")
        if problems:
            raise ValueError("\n".join(problems))
        return self


def is_function(name: str) -> bool:
    """Whether it names a function as `module:function`; not whether that is there."""
    return all(name.partition(":"))


AUTO, NEVER = "auto", "never"
STAGES = {"sft": SftConfig, "grpo": GrpoConfig}
"""Each stage's config by the name of its table in the file."""


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="TOML file; the paper's values where it is silent")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a key over the file's, e.g. lora.r=16"
    )
    parser.add_argument(
        "--resume",
        choices=(AUTO, NEVER),
        default=AUTO,
        help=f"{AUTO} (default): go on with the run that `out` holds, from its last saved state; {NEVER}: refuse to. A "
        "run that gets SIGTERM finishes its step, saves its state and exits with 0",
    )


def read_config(stage: str, args: argparse.Namespace) -> SftConfig | GrpoConfig:
    """Returns the config of a stage ("sft" or "grpo") as `--config` and `--set` give it.

    Raises as `load_config`, and ValueError where `out` holds a run that `--resume never` forbids to go on with.
    """
    config = load_config(STAGES, stage, args.config, dict(parse_override(text) for text in args.set))
    if args.resume == NEVER and (config.out / "config.json").exists():
        raise ValueError(f"{config.out} holds a run; give another out, or --resume {AUTO} to go on with it")
    return config
