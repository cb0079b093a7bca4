"""Idefics3's forward pass in parts, for training: each tile is encoded once, however many questions ask about it.

`image_index` says which of the encoded tiles stand in which question's prompt. Sequences are padded on the right; under
causal attention no real token sees the padding.

In the shapes: n tiles of S x S pixels, T tokens a tile, B questions, L tokens of the longest sequence, D the text
model's width.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from transformers import Idefics3ForConditionalGeneration

IGNORE = -100
"""The label of a position that is not trained, as in torch's cross-entropy."""


@dataclass
class Batch:
    """Questions about tiles, with the answers to learn."""

    tiles: torch.Tensor
    """uint8 `[n, S, S, 3]`"""
    image_index: torch.Tensor
    """int64 `[B, tiles a question]`: indices of `tiles`, in the order in which they stand in the prompt"""
    input_ids: torch.Tensor
    """int64 `[B, L]`"""
    labels: torch.Tensor
    """int64 `[B, L]`: the id to predict *at* each position (already shifted), `IGNORE` outside the answers"""
    cell_words: torch.Tensor | None = None
    """f32 `[n, T, words]`: 1 where the thing that a word describes has its centre in the cell of an image token"""
    page_words: torch.Tensor | None = None
    """f32 `[n, words]`: 1 where a tile shows something that the word describes, wherever in it"""
    named_words: torch.Tensor | None = None
    """int64 `[B, 2]`: the ids of the two words by which each question names what it asks for"""

    def to(self, device: torch.device) -> Batch:
        tensors = (getattr(self, field.name) for field in fields(self))
        return Batch(*(None if tensor is None else tensor.to(device) for tensor in tensors))


def set_training_attention(model: Idefics3ForConditionalGeneration, device: torch.device) -> None:
    """Chooses the attention that trains fastest. Alters `model` in place.

    On a CPU the backward pass of torch's fused attention is the slowest part of a step. "eager", which is plain matrix
    products, is 1.8 times as fast.
    """
    if device.type == "cpu":
        model.set_attn_implementation("eager")


def checkpoint_vision_encoder(model: Idefics3ForConditionalGeneration) -> None:
    """Gradient checkpointing: the vision encoder's layers keep their inputs alone and are run anew backwards."""
    model.model.vision_model.gradient_checkpointing_enable({"use_reentrant": False})


def encode_tiles(model: Idefics3ForConditionalGeneration, tiles: torch.Tensor) -> torch.Tensor:
    """Tiles uint8 `[n, S, S, 3]` -> features `[n, T, D]`.

    As transformers' `get_image_features`, for tiles that are filled with image: nothing is masked.
    """
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
    """The text model's last hidden states `[B, L, D]`, with `features` `[n, T, D]` in place of the image tokens.

    `image_index` and `input_ids` are a batch's. `middle`: where given, the hidden states `[B, L, D]` after half of the
    layers are appended to it.
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
    """The mean cross-entropy over the answers' tokens, and which tokens are right, bool `[B, L]`.

    The right answer's tokens are the input (teacher forcing). Where all of an answer's tokens are right, greedy
    decoding would have given that answer. Positions outside the answers count as right.
    """
    hidden = hidden_states(model, encode_tiles(model, batch.tiles), batch.image_index, batch.input_ids)
    return token_loss(model, hidden, batch.labels)


def token_loss(
    model: Idefics3ForConditionalGeneration,
    hidden: torch.Tensor,
    labels: torch.Tensor,
    weights: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """`answer_loss` from the last hidden states `[B, L, D]` and a batch's labels `[B, L]`.

    `weights` f32 `[B, L]`: how much each token counts in the mean; None for all alike.
    """
    is_answer = labels != IGNORE
    logits = model.lm_head(hidden[is_answer]).float()
    answer_ids = labels[is_answer]
    right = torch.ones_like(labels, dtype=torch.bool)
    right[is_answer] = logits.argmax(-1) == answer_ids
    losses = F.cross_entropy(logits, answer_ids, reduction="none")
    if weights is None:
        return losses.mean(), right
    return (losses * weights[is_answer]).sum() / weights[is_answer].sum(), right
