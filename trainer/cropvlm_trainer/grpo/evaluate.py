"""How good the policy is while it trains: the rewards of its greedy boxes on rows that it does not learn from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from accelerate import Accelerator

from cropvlm_trainer.grpo.accumulate import to_example
from cropvlm_trainer.grpo.data import read_training_rows
from cropvlm_trainer.grpo.reward.size import SIZE
from cropvlm_trainer.grpo.reward.texts import FAILED
from cropvlm_trainer.grpo.step import Step
from cropvlm_trainer.metrics.exact_and_iou import box_measures
from cropvlm_trainer.training.dev import greedy_boxes, mean_scores
from cropvlm_trainer.training.reward_config import EndpointReward, ReaderReward
from cropvlm_trainer.training.stages import GrpoConfig

REWARD = "reward"
"""The score by which the best adapter is chosen: the sum of the rewards."""


class Evaluation:
    """Scores the policy as it is when it is called."""

    def __init__(self, config: GrpoConfig, accelerator: Accelerator, step: Step) -> None:
        """Raises as `read_training_rows`."""
        self.folder, self.accelerator, self.step = config.eval_data.parent, accelerator, step
        self.rows = read_training_rows(config.eval_data, config.is_measured)
        self.has_boxes = all(row.get("box") for row in self.rows)
        names = [REWARD, f"{REWARD}/{config.reward_name}", f"{REWARD}/format", "valid"]
        names += [f"{REWARD}/{SIZE}"] if config.size_weight else []
        names += [FAILED] if isinstance(config.reward, EndpointReward | ReaderReward) else []
        self.names = [*names, "iou"] if self.has_boxes else names
        self.reward_name = f"{REWARD}/{config.reward_name}"

    def __call__(self) -> dict[str, float]:
        """Means over the rows: `reward`, each as `reward/NAME`, `valid` and, where the rows have boxes, `iou`.

        Of what an endpoint or a reader says, the mean is of the rows that have an answer; `failed` is the share of the
        others. Raises ValueError where none has one.
        """
        peft_model = self.step.policy.peft_model
        peft_model.eval()
        try:
            with torch.no_grad(), self.accelerator.autocast():
                return self._of_answered(mean_scores(self.rows, self.names, self._sums, self.accelerator.device))
        finally:
            peft_model.train()

    def _sums(self, rows: Sequence[dict]) -> dict[str, float]:
        step = self.step
        examples = [to_example(row, self.folder) for row in rows]
        prompts, tiles = step.prompts_and_tiles(examples)
        boxes = [box for _, box in greedy_boxes(step.policy.model, step.encoder, [tiles], prompts)]
        rewards = step.reward(examples, [[box] for box in boxes])
        sums = {f"{REWARD}/{name}": values.sum().item() for name, values in rewards.items()}
        sums |= {REWARD: sum(sums.values()), "valid": float(sum(box is not None for box in boxes))}
        if FAILED in self.names:
            sums[FAILED] = step.reward.scalars[FAILED].item() * len(rows)
        if self.has_boxes:
            sums["iou"] = box_measures(boxes, [row["box"] for row in rows])["iou"] * len(rows)
        return sums

    def _of_answered(self, scores: dict[str, float]) -> dict[str, float]:
        """The scores with the reward of the rows that have an answer; the others have counted as 0."""
        failed = scores.get(FAILED, 0.0)
        if failed == 0:
            return scores
        if round(failed * len(self.rows)) == len(self.rows):
            raise ValueError(
                "no row of eval_data has an answer; see that what the reward asks works, and run the same command again"
            )
        answered = scores[self.reward_name] / (1 - failed)
        return scores | {self.reward_name: answered, REWARD: scores[REWARD] + answered - scores[self.reward_name]}
