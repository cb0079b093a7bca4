"""GRPO's advantages and loss as pure functions (paper, Eq. 1).

In the shapes: B questions, G completions of each, N = B * G completions, T tokens of the longest completion.

There are two recipes. They differ in what the rewards and the loss are divided by:

- `paper`: advantages are divided by the standard deviation of the group, and each completion's loss by its own number
  of tokens (Shao et al. 2024, arXiv:2402.03300);
- `released`: the paper's released code, which is Dr. GRPO (Liu et al. 2025, arXiv:2503.20783): advantages are not
  divided, and each completion's loss is divided by the largest number of tokens that it may have.
"""

from __future__ import annotations

import torch

from cropvlm_trainer.training.stages import RecipeName

EPSILON = 1e-4
"""Added to the standard deviation, as TRL does (`GRPOTrainer`), so that equal rewards are not divided by 0."""


def advantages(rewards: torch.Tensor, recipe: RecipeName) -> torch.Tensor:
    """How much better than its group's mean each completion is: rewards f32 `[B, G]` -> advantages f32 `[B, G]`.

    Where all rewards of a group are equal, its advantages are 0. The standard deviation is the sample's, with G - 1 in
    the denominator, as in TRL.
    """
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    if recipe == "released":
        return centred
    return centred / (rewards.std(dim=1, keepdim=True) + EPSILON)


def kl_per_token(log_probs: torch.Tensor, reference_log_probs: torch.Tensor) -> torch.Tensor:
    """An estimate of each token's KL divergence from the reference, 0 or more, in the shape of the arguments.

    It is Schulman's k3 (joschu.net/blog/kl-approx.html): r - 1 - log r, where r is the reference's probability of the
    token divided by the policy's.
    """
    log_ratio = reference_log_probs - log_probs
    return log_ratio.exp() - log_ratio - 1


def grpo_loss(
    log_probs: torch.Tensor,
    reference_log_probs: torch.Tensor,
    mask: torch.Tensor,
    advantage: torch.Tensor,
    *,
    beta: float,
    recipe: RecipeName,
    max_new_tokens: int,
) -> torch.Tensor:
    """The loss of completions that were drawn from the policy as it is now, a scalar.

    - `log_probs` f32 `[N, T]`: the policy's, of the tokens drawn, with gradients;
    - `reference_log_probs` f32 `[N, T]`: the reference's, of the same tokens, without;
    - `mask` bool `[N, T]`: True for the tokens drawn, False for the padding after the end;
    - `advantage` f32 `[N]`: one for all tokens of a completion.

    Each sample is used for one update, so the ratio of the new to the old policy's probabilities is 1 in value and
    PPO's clipping never applies. The ratio is kept for its gradient, which is that of `log_probs`.
    """
    ratio = (log_probs - log_probs.detach()).exp()
    token_losses = -ratio * advantage[:, None] + beta * kl_per_token(log_probs, reference_log_probs)
    token_losses = token_losses * mask
    if recipe == "released":
        return token_losses.sum() / (len(token_losses) * max_new_tokens)
    return (token_losses.sum(dim=1) / mask.sum(dim=1).clamp(min=1)).mean()
