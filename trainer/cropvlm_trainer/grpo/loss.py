"""GRPO's advantages and loss as pure functions (paper, Eq. 1).

In the shapes: B questions, G completions of each, N = B * G completions, T tokens of the longest completion.

There are two recipes:

- `paper`: advantages are divided by the standard deviation of the group, and each completion's loss by its own number
  of tokens (Shao et al. 2024, arXiv:2402.03300). Completions are scored at the temperature at which they were drawn;
- `released`: the paper's released code, which is Dr. GRPO (Liu et al. 2025, arXiv:2503.20783): advantages are not
  divided, and each completion's loss is divided by the largest number of tokens that it may have. Completions are
  scored at a temperature of 1, whatever that of the draws.
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


def scoring_temperature(recipe: RecipeName, temperature: float) -> float:
    """The temperature at which completions are scored that were drawn at `temperature`."""
    return 1.0 if recipe == "released" else temperature


def grpo_loss(
    log_probs: torch.Tensor,
    reference_log_probs: torch.Tensor | None,
    mask: torch.Tensor,
    advantage: torch.Tensor,
    *,
    beta: float,
    recipe: RecipeName,
    max_new_tokens: int,
    old_log_probs: torch.Tensor | None = None,
    epsilon: float = 0.2,
    epsilon_high: float | None = None,
) -> torch.Tensor:
    """The loss of completions, a scalar.

    - `log_probs` f32 `[N, T]`: the policy's, of the tokens drawn, with gradients;
    - `reference_log_probs` f32 `[N, T]`: the reference's, of the same tokens, without; None where `beta` is 0;
    - `mask` bool `[N, T]`: True for the tokens drawn, False for the padding after the end;
    - `advantage` f32 `[N]`: one for all tokens of a completion;
    - `old_log_probs` f32 `[N, T]`: those of the policy that drew them, without; None where it is the policy as it is;
    - `epsilon`, `epsilon_high`: the ratio of new to old probabilities counts from 1 - `epsilon` to 1 + `epsilon_high`
      (None: `epsilon`), as in PPO.

    In a step's first update the ratio is 1 in value, and is there for its gradient, which is that of `log_probs`.
    """
    ratio = _ratio(log_probs, old_log_probs)
    clipped = ratio.clamp(1 - epsilon, 1 + (epsilon if epsilon_high is None else epsilon_high))
    token_losses = -torch.min(ratio * advantage[:, None], clipped * advantage[:, None])
    if beta:
        token_losses = token_losses + beta * kl_per_token(log_probs, reference_log_probs)
    token_losses = token_losses * mask
    if recipe == "released":
        return token_losses.sum() / (len(token_losses) * max_new_tokens)
    return (token_losses.sum(dim=1) / mask.sum(dim=1).clamp(min=1)).mean()


def clipped_share(
    log_probs: torch.Tensor,
    old_log_probs: torch.Tensor,
    mask: torch.Tensor,
    advantage: torch.Tensor,
    epsilon: float,
    epsilon_high: float | None,
) -> torch.Tensor:
    """The share of the tokens drawn that clipping leaves without a gradient, a scalar; arguments as in `grpo_loss`."""
    ratio = _ratio(log_probs.detach(), old_log_probs)
    high = epsilon if epsilon_high is None else epsilon_high
    is_clipped = ((ratio < 1 - epsilon) & (advantage[:, None] < 0)) | ((ratio > 1 + high) & (advantage[:, None] > 0))
    return is_clipped[mask].float().mean()


def _ratio(log_probs: torch.Tensor, old_log_probs: torch.Tensor | None) -> torch.Tensor:
    return (log_probs - (log_probs.detach() if old_log_probs is None else old_log_probs)).exp()
