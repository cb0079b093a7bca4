"""Completions of prompts: drawn, and scored, after a prefix that is computed once.

A prefix is a batch of prompts with their images: the tiles are encoded, the prompts are prefilled, and the KV cache is
kept. `repeated` makes G rows of each prompt, from which G completions are drawn or scored. Gradients flow through the
repeated cache into the prefix. The result is exact: encoding prompt and tiles anew for each completion gives the same
log-probabilities and gradients.

Prompts of different lengths are padded on the left, so that all completions start in the same column.

In the shapes: B prompts, P columns of the longest prompt, N rows of completions, T tokens of the longest completion,
D the text model's width, V its vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache, Idefics3ForConditionalGeneration, PreTrainedTokenizerBase

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import parse_box


@dataclass
class Prefix:
    cache: DynamicCache
    """keys and values of each layer, `[B, KV heads, P, head width]`"""
    mask: torch.Tensor
    """int64 `[B, P]`: 1 where a prompt stands, 0 on the padding to its left"""
    last_hidden: torch.Tensor
    """`[B, D]`: the hidden states that predict a completion's first token"""

    @property
    def lengths(self) -> torch.Tensor:
        """int64 `[B]`: tokens of each prompt."""
        return self.mask.sum(dim=1)

    def repeated(self, times: int, detach: bool = False) -> Prefix:
        """A prefix of B * `times` rows: each prompt's first, second ... row one after the other.

        Its cache is a copy, so that it can grow by completions while this one stays. `detach`: without gradients.
        """
        cache = DynamicCache()
        for index, layer in enumerate(self.cache.layers):
            keys, values = (part.detach() if detach else part for part in (layer.keys, layer.values))
            cache.update(keys.repeat_interleave(times, dim=0), values.repeat_interleave(times, dim=0), index)
        hidden = self.last_hidden.detach() if detach else self.last_hidden
        return Prefix(cache, self.mask.repeat_interleave(times, dim=0), hidden.repeat_interleave(times, dim=0))

    def part(self, start: int, stop: int) -> Prefix:
        """A prefix of the rows from `start` to before `stop`. Its cache is a copy."""
        return self.rows(range(start, stop))

    def rows(self, numbers: Sequence[int]) -> Prefix:
        """A prefix of these rows. Its cache is a copy."""
        some = torch.tensor(list(numbers), device=self.mask.device)
        cache = DynamicCache()
        for index, layer in enumerate(self.cache.layers):
            cache.update(layer.keys[some], layer.values[some], index)
        return Prefix(cache, self.mask[some], self.last_hidden[some])


@dataclass
class Completions:
    ids: torch.Tensor
    """int64 `[N, T]`; after the end token, the padding token"""
    mask: torch.Tensor
    """bool `[N, T]`: True for a completion's tokens, the end token included"""
    ended: torch.Tensor
    """bool `[N]`: whether the end token came within the limit"""


def prefill(
    model: Idefics3ForConditionalGeneration, prompts: Sequence[Sequence[int]], features: torch.Tensor, pad: int
) -> Prefix:
    """The prefix of these prompts (token ids), with `pad` as the padding token.

    `features`: of the tiles of all prompts in order, `[tiles, tokens a tile, D]` (`forward.encode_tiles`).
    Raises ValueError where the prompts' image tokens are not as many as the tiles have features.
    """
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
    output = text(
        inputs_embeds=embeds,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=DynamicCache(),
        use_cache=True,
    )
    return Prefix(output.past_key_values, mask, output.last_hidden_state[:, -1])


def log_probs(
    model: Idefics3ForConditionalGeneration, prefix: Prefix, completions: Completions, temperature: float = 1.0
) -> torch.Tensor:
    """Log-probabilities f32 `[N, T]` of the completions' tokens after the prefix's N rows; 0 on padding.

    The prefix grows by the completions and cannot be used again: give each call a `repeated` one.
    """
    ids, count = completions.ids, completions.ids.shape[1]
    hidden = prefix.last_hidden[:, None]
    if count > 1:
        hidden = torch.cat([hidden, _extend(model, prefix, ids[:, :-1], completions.mask[:, :-1])], dim=1)
    logits = model.lm_head(hidden).float() / temperature
    token_log_probs = torch.log_softmax(logits, dim=-1).gather(-1, ids[..., None]).squeeze(-1)
    return token_log_probs.masked_fill(~completions.mask, 0.0)


@torch.no_grad()
def sample(
    model: Idefics3ForConditionalGeneration,
    prefix: Prefix,
    *,
    end: int,
    pad: int,
    max_new_tokens: int,
    temperature: float,
    suppressed: torch.Tensor | None = None,
    generators: Sequence[torch.Generator] = (),
) -> Completions:
    """Draws a completion after each of the prefix's N rows; at temperature 0 it takes the likeliest tokens.

    The prefix grows by the completions and cannot be used again; `prefix.repeated(G, detach=True)` makes one of G rows
    a prompt.

    - `end`, `pad`: the ids of the end token and of the padding token;
    - `suppressed`: ids that are never drawn, int64;
    - `generators`: one for each prompt, on the CPU; its G rows are drawn with it. A prompt's completions then depend
      neither on what else is in the batch nor on the number of processes. At temperature 0 they are not needed.
    """
    hidden, ids, masks = prefix.last_hidden, [], []
    is_open = torch.ones(len(hidden), dtype=torch.bool, device=hidden.device)
    for step in range(max_new_tokens):
        logits = model.lm_head(hidden).float()
        if suppressed is not None:
            logits = logits.index_fill(-1, suppressed, float("-inf"))
        if temperature == 0:
            drawn = logits.argmax(dim=-1)
        else:
            drawn = (logits / temperature + _gumbel_noise(logits, generators)).argmax(dim=-1)
        ids.append(drawn.where(is_open, pad))
        masks.append(is_open)
        is_open = is_open & (drawn != end)
        if not is_open.any() or step == max_new_tokens - 1:
            break
        hidden = _extend(model, prefix, ids[-1][:, None], masks[-1][:, None])[:, -1]
    return Completions(torch.stack(ids, dim=1), torch.stack(masks, dim=1), ~is_open)


def replaced(completions: Completions, others: Completions, rows: Sequence[int], pad: int) -> Completions:
    """The completions with `others` in these rows of theirs; the shorter of both are padded."""
    length = max(completions.ids.shape[1], others.ids.shape[1])

    def padded(part: torch.Tensor, value: int | bool) -> torch.Tensor:
        return torch.nn.functional.pad(part, (0, length - part.shape[1]), value=value)

    some = torch.tensor(list(rows), device=completions.ids.device)
    ids = padded(completions.ids, pad).index_copy(0, some, padded(others.ids, pad))
    mask = padded(completions.mask, False).index_copy(0, some, padded(others.mask, False))
    return Completions(ids, mask, completions.ended.index_copy(0, some, others.ended))


def decode_boxes(tokenizer: PreTrainedTokenizerBase, completions: Completions) -> list[tuple[str, Box | None]]:
    """Each completion's text, and its box: None where the text is no valid box or the completion did not end."""
    texts = tokenizer.batch_decode(completions.ids, skip_special_tokens=True)
    return [
        (text, parse_box(text) if ended else None)
        for text, ended in zip(texts, completions.ended.tolist(), strict=True)
    ]


def _gumbel_noise(logits: torch.Tensor, generators: Sequence[torch.Generator]) -> torch.Tensor:
    """Noise `[N, V]`. The index of the largest of logits plus noise is a draw from the logits' softmax."""
    rows, width = len(logits) // len(generators), logits.shape[1]
    noise = [torch.empty(rows, width).exponential_(generator=generator) for generator in generators]
    return -torch.cat(noise).log().to(logits.device)


def _extend(
    model: Idefics3ForConditionalGeneration, prefix: Prefix, ids: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Runs further tokens `[N, T]` after the prefix, which grows by them -> their last hidden states `[N, T, D]`."""
    positions = prefix.lengths[:, None] + torch.arange(ids.shape[1], device=ids.device)
    prefix.mask = torch.cat([prefix.mask, mask.to(prefix.mask.dtype)], dim=1)
    output = model.model.text_model(
        input_ids=ids,
        attention_mask=prefix.mask,
        position_ids=positions,
        past_key_values=prefix.cache,
        use_cache=True,
    )
    return output.last_hidden_state
