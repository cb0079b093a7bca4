"""Idefics3's forward pass in the pieces that training shares: tiles once, questions many.

`image_index` says which encoded tiles stand in which question's prompt, so a page that many questions ask
about is encoded once. Sequences are padded on the right: under causal attention no real token sees the padding.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.contract import END_OF_UTTERANCE

IGNORE = -100


@dataclass
class Batch:
    """Questions about tiles. `labels` are the ids to predict *at* each position, `IGNORE` elsewhere."""

    tiles: torch.Tensor
    """uint8 `[n, tile, tile, 3]`"""
    image_index: torch.Tensor
    """int64 `[questions, tiles a question]`, in prompt order"""
    input_ids: torch.Tensor
    """int64 `[questions, length]`"""
    labels: torch.Tensor
    """int64 `[questions, length]`"""
    looks: torch.Tensor | None = None
    """f32 `[n, tokens a tile, words]`: 1 where what the word names has its centre in the token's cell"""
    names: torch.Tensor | None = None
    """int64 `[questions, 2]`: the tokens of the words by which each question names what it asks for"""

    def to(self, device: torch.device) -> Batch:
        parts = (getattr(self, field.name) for field in fields(self))
        return Batch(*(None if part is None else part.to(device) for part in parts))


def set_training_attention(model: Idefics3ForConditionalGeneration, device: torch.device) -> None:
    """On a CPU the backward pass of the fused attention is the slowest part of a step: plain products, 1.8x faster."""
    if device.type == "cpu":
        model.set_attn_implementation("eager")


def encode_tiles(model: Idefics3ForConditionalGeneration, tiles: torch.Tensor) -> torch.Tensor:
    """uint8 tiles `[n, S, S, 3]` -> features `[n, tokens a tile, text width]`; every tile is full."""
    vision = model.model.vision_model
    pixels = (tiles.permute(0, 3, 1, 2).float() / 127.5 - 1.0).to(vision.embeddings.patch_embedding.weight.dtype)
    hidden = vision.embeddings.patch_embedding(pixels).flatten(2).transpose(1, 2)
    hidden = hidden + vision.embeddings.position_embedding.weight
    hidden = vision.encoder(inputs_embeds=hidden).last_hidden_state
    return model.model.connector(vision.post_layernorm(hidden))


def hidden_states(
    model: Idefics3ForConditionalGeneration,
    features: torch.Tensor,
    image_index: torch.Tensor,
    input_ids: torch.Tensor,
    middle: list[torch.Tensor] | None = None,
) -> torch.Tensor:
    """Prompts with their images' features in place -> the text model's last hidden states `[B, L, D]`.

    Into `middle`, where it is given, go those after half of the layers.
    """
    embeds = model.model.text_model.embed_tokens(input_ids)
    is_image = input_ids == model.config.image_token_id
    images = features[image_index.flatten()].reshape(-1, features.shape[-1])
    embeds = embeds.masked_scatter(is_image[..., None], images.to(embeds.dtype))
    states = model.model.text_model(inputs_embeds=embeds, use_cache=False, output_hidden_states=middle is not None)
    if middle is not None:
        middle.append(states.hidden_states[len(states.hidden_states) // 2])
    return states.last_hidden_state


def answer_loss(model: Idefics3ForConditionalGeneration, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean cross-entropy over the answers' tokens, and which of their tokens are right `[questions, length]`.

    Teacher-forced; an answer right in all its tokens is what greedy decoding gives.
    """
    hidden = hidden_states(model, encode_tiles(model, batch.tiles), batch.image_index, batch.input_ids)
    return token_loss(model, hidden, batch.labels)


def token_loss(
    model: Idefics3ForConditionalGeneration,
    hidden: torch.Tensor,
    answers: torch.Tensor,
    weights: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """`answer_loss` from the last hidden states `[B, L, D]`; `answers` are a batch's labels `[B, L]`.

    `weights` `[B, L]`: how much each token counts. Outside the answers all tokens count as right.
    """
    wanted = answers != IGNORE
    logits = model.lm_head(hidden[wanted]).float()
    labels = answers[wanted]
    right = torch.ones_like(answers, dtype=torch.bool)
    right[wanted] = logits.argmax(-1) == labels
    losses = F.cross_entropy(logits, labels, reduction="none")
    if weights is None:
        return losses.mean(), right
    return (losses * weights[wanted]).sum() / weights[wanted].sum(), right


class PromptBuilder:
    """Token ids of prompts and answers for images of one tile, through the contract's chat template."""

    def __init__(self, tokenizer, tokens_per_tile: int) -> None:
        self.tokenizer = tokenizer
        self.tokens_per_tile = tokens_per_tile
        self.image = "<fake_token_around_image><global-img>" + "<image>" * tokens_per_tile
        self.image += "<fake_token_around_image>"
        self.pad = tokenizer.token_to_id("<|im_end|>")

    def word(self, word: str) -> int:
        """The one token of a word inside a question; digits have no space in theirs."""
        text = word if word.isdecimal() else f" {word}"
        ids = self.tokenizer.encode(text).ids
        if len(ids) != 1:
            raise ValueError(f"{word!r} is {len(ids)} tokens; a word to name things by must be one")
        return ids[0]

    def encode(self, images: int, text: str, answer: str) -> tuple[list[int], int]:
        """The ids of prompt and answer, and where the answer starts."""
        head = f"<|im_start|>User:{self.image * images}{text}{END_OF_UTTERANCE}\nAssistant:"
        prompt = self.tokenizer.encode(head).ids
        return prompt + self.tokenizer.encode(f"{answer}{END_OF_UTTERANCE}").ids, len(prompt)

    def collate(self, rows: list[tuple[list[int], int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Right-padded ids and next-token labels over the answers only."""
        length = max(len(ids) for ids, _ in rows)
        input_ids = torch.full((len(rows), length), self.pad)
        labels = torch.full((len(rows), length), IGNORE)
        for row, (ids, start) in enumerate(rows):
            input_ids[row, : len(ids)] = torch.tensor(ids)
            labels[row, start - 1 : len(ids) - 1] = torch.tensor(ids[start:])
        return input_ids, labels
