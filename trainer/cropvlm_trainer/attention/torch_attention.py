"""The attention of a prompt's last token, by transformers: the token after which the answer's first one is predicted.

transformers gives attention only where it is computed plainly ("eager"); its other ways keep the weights to themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from transformers import PreTrainedModel


@contextmanager
def eager(model: PreTrainedModel) -> Iterator[None]:
    """Within it the model computes its attention plainly, so that it can be had."""
    before = model.config.text_config._attn_implementation
    model.set_attn_implementation({"text_config": "eager"})
    try:
        yield
    finally:
        model.set_attn_implementation({"text_config": before})


@torch.no_grad()
def last_attention(model: PreTrainedModel, inputs: Mapping[str, torch.Tensor], layers: Sequence[int]) -> torch.Tensor:
    """How the last token of one prompt attends to each of its tokens: [layers, L], the mean over the heads.

    `inputs`: of one prompt, as the processor makes them.
    """
    with eager(model):
        attentions = model(**inputs, output_attentions=True, use_cache=False).attentions
    return torch.stack([attentions[layer][0, :, -1].mean(dim=0) for layer in layers])


def gradient_attention(
    model: PreTrainedModel, inputs: Mapping[str, torch.Tensor], layers: Sequence[int]
) -> torch.Tensor:
    """The same attention, each weight times the gradient by it of the log-likelihood of the model's answer.

    The answer is the likeliest first token, so that no right answer has to be known; gradients below 0 count as 0. This
    is grad-att of ViCrop's released code. [layers, L], the mean over the heads.
    """
    # With frozen parameters, a gradient needs an input that wants one; the vision encoder then keeps nothing for it.
    hook = model.get_input_embeddings().register_forward_hook(lambda _module, _inputs, output: output.requires_grad_())
    try:
        with eager(model), torch.enable_grad():
            output = model(**inputs, output_attentions=True, use_cache=False)
            likelihood = torch.log_softmax(output.logits[0, -1].float(), dim=-1).max()
            attentions = [output.attentions[layer] for layer in layers]
            gradients = torch.autograd.grad(likelihood, attentions)
    finally:
        hook.remove()
    weighted = [(a * g.relu())[0, :, -1].mean(dim=0) for a, g in zip(attentions, gradients, strict=True)]
    return torch.stack(weighted).detach()
