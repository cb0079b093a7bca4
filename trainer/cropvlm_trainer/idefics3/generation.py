"""A prompt's prefix, computed once and shared by the G completions that are sampled after it.

The tiles are encoded once, the prompt is prefilled once, and the KV cache is repeated G times; gradients flow through
the repeated cache into the prefix. It is exact: the naive pass, which encodes prompt and tiles anew for each
completion, gives the same log-probabilities and gradients.

Prompts of different lengths are padded on the left, so that all completions start in the same column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache, Idefics3ForConditionalGeneration


@dataclass
class Prefix:
    cache: DynamicCache
    """keys and values `[B, heads, P, head width]` a layer"""
    mask: torch.Tensor
    """int64 `[B, P]`: 1 where a prompt stands, 0 on the padding to its left"""
    last_hidden: torch.Tensor
    """`[B, D]`: what predicts the first token of the completion"""

    @property
    def lengths(self) -> torch.Tensor:
        """int64 `[B]`: tokens of each prompt."""
        return self.mask.sum(dim=1)

    def repeated(self, times: int, detach: bool = False) -> Prefix:
        """Each prompt `times` times in a row; a cache of its own, so that completions do not grow this one."""
        cache = DynamicCache()
        for index, layer in enumerate(self.cache.layers):
            keys, values = (part.detach() if detach else part for part in (layer.keys, layer.values))
            cache.update(keys.repeat_interleave(times, dim=0), values.repeat_interleave(times, dim=0), index)
        hidden = self.last_hidden.detach() if detach else self.last_hidden
        return Prefix(cache, self.mask.repeat_interleave(times, dim=0), hidden.repeat_interleave(times, dim=0))


@dataclass
class Completions:
    ids: torch.Tensor
    """int64 `[N, T]`; after the end token, the padding token"""
    mask: torch.Tensor
    """bool `[N, T]`: the tokens that were sampled, the end token included"""
    ended: torch.Tensor
    """bool `[N]`: whether the end token came within the limit"""


def prefill(
    model: Idefics3ForConditionalGeneration, prompts: Sequence[Sequence[int]], features: torch.Tensor, pad: int
) -> Prefix:
    """Prompts' ids and their tiles' features `[tiles of all prompts in order, T, D]` -> their common prefix."""
    device, length = features.device, max(len(prompt) for prompt in prompts)
    ids = torch.full((len(prompts), length), pad, device=device)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, length - len(prompt) :] = torch.tensor(prompt, device=device)
        mask[row, length - len(prompt) :] = 1
    text = model.model.text_model
    embeds = text.embed_tokens(ids)
    is_image = (ids == model.config.image_token_id) & mask.bool()
    if is_image.sum() != features.shape[0] * features.shape[1]:
        raise ValueError(
            f"the prompts have {int(is_image.sum())} image tokens, the tiles {features.shape[0] * features.shape[1]}; "
            "build the prompts for the grids that the tiles were cut in"
        )
    embeds = embeds.masked_scatter(is_image[..., None], features.to(embeds.dtype))
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    made = text(
        inputs_embeds=embeds,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=DynamicCache(),
        use_cache=True,
    )
    return Prefix(made.past_key_values, mask, made.last_hidden_state[:, -1])


def log_probs(
    model: Idefics3ForConditionalGeneration, prefix: Prefix, completions: Completions, temperature: float = 1.0
) -> torch.Tensor:
    """Log-probabilities f32 `[N, T]` of the completions' tokens after `prefix` (of N rows); 0 where they are padding.

    The prefix's cache is used up: give each call a `repeated` one.
    """
    ids, count = completions.ids, completions.ids.shape[1]
    hidden = prefix.last_hidden[:, None]
    if count > 1:
        hidden = torch.cat([hidden, _extend(model, prefix, ids[:, :-1], completions.mask[:, :-1])], dim=1)
    logits = model.lm_head(hidden).float() / temperature
    picked = torch.log_softmax(logits, dim=-1).gather(-1, ids[..., None]).squeeze(-1)
    return picked.masked_fill(~completions.mask, 0.0)


@torch.no_grad()
def sample(
    model: Idefics3ForConditionalGeneration,
    prefix: Prefix,
    *,
    end: int,
    pad: int,
    max_new_tokens: int,
    temperature: float,
    suppressed: torch.Tensor,
    generators: Sequence[torch.Generator] = (),
) -> Completions:
    """Draws a completion after each row of `prefix` (a `repeated`, detached one); greedy at temperature 0.

    `suppressed`: ids that are never drawn (image, row and column tokens: one of them would stand for a picture).
    `generators`: one for as many rows in a row as there are rows for each, on the CPU. A question that has its own is
    answered alike whatever else is in the batch, and on however many processes.
    """
    hidden, ids, masks = prefix.last_hidden, [], []
    going = torch.ones(len(hidden), dtype=torch.bool, device=hidden.device)
    for step in range(max_new_tokens):
        logits = model.lm_head(hidden).float().index_fill(-1, suppressed, float("-inf"))
        if temperature == 0:
            drawn = logits.argmax(dim=-1)
        else:
            drawn = (logits / temperature + _gumbel(logits, generators)).argmax(dim=-1)
        ids.append(drawn.where(going, pad))
        masks.append(going)
        going = going & (drawn != end)
        if not going.any() or step == max_new_tokens - 1:
            break
        hidden = _extend(model, prefix, ids[-1][:, None], masks[-1][:, None])[:, -1]
    return Completions(torch.stack(ids, dim=1), torch.stack(masks, dim=1), ~going)


def _gumbel(logits: torch.Tensor, generators: Sequence[torch.Generator]) -> torch.Tensor:
    """Noise `[N, V]` by which the largest logit is a draw from their softmax (the Gumbel-max trick)."""
    rows, width = len(logits) // len(generators), logits.shape[1]
    noise = [torch.empty(rows, width).exponential_(generator=generator) for generator in generators]
    return -torch.cat(noise).log().to(logits.device)


def _extend(
    model: Idefics3ForConditionalGeneration, prefix: Prefix, ids: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Runs further tokens `[N, T]` after the prefix, which grows by them -> last hidden states `[N, T, D]`."""
    positions = prefix.lengths[:, None] + torch.arange(ids.shape[1], device=ids.device)
    prefix.mask = torch.cat([prefix.mask, mask.to(prefix.mask.dtype)], dim=1)
    made = model.model.text_model(
        input_ids=ids,
        attention_mask=prefix.mask,
        position_ids=positions,
        past_key_values=prefix.cache,
        use_cache=True,
    )
    return made.last_hidden_state
