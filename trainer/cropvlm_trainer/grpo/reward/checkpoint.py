"""The log-likelihood reward of another VLM than the base: any image-text-to-text model of transformers.

Its own processor and chat template make the prompt, with the full image and the crop in it, and the answer's end.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from cropvlm_trainer.boxes import WHOLE, Box
from cropvlm_trainer.chat.messages import shrunk
from cropvlm_trainer.contract import target_prompt
from cropvlm_trainer.idefics3.checkpoint import CONFIG
from cropvlm_trainer.idefics3.reward_model import CORNER, Example, batches_by_tokens, cropped, most_common, unique_pairs
from cropvlm_trainer.idefics3.weights import check_weights
from cropvlm_trainer.training.stages import Likelihood

TILED = ("idefics3", "smolvlm")
"""Model types whose processors take a longest edge, to which smaller images are enlarged."""
BATCH = 8
"""Pairs of full image and crop in one pass, at most."""
MAX_LOGITS = 2**28
"""Values of a pass's logits, padding included: 1 GiB, which is 1,700 tokens of answers with a vocabulary of 150,000."""


class CheckpointLikelihood:
    """Examples and their boxes -> log p of each example's most common answer and its end, f32 `[B, G]`."""

    def __init__(
        self, path: Path, device: torch.device, longest_edge: int, likelihood: Likelihood, corner: bool
    ) -> None:
        """`longest_edge` (pixels): of the full image and of the crop; for models but those of `TILED`, the most.

        The model computes in fp32 on a CPU and in bf16 on a GPU. `corner`: as `RewardModel.answers` has it.
        Raises FileNotFoundError without a checkpoint, ValueError for one whose weights are not safetensors.
        """
        if not (path / CONFIG).exists():
            raise FileNotFoundError(f"{path} holds no config.json; name the folder of a checkpoint in reward.path")
        check_weights(path)
        kind = torch.bfloat16 if device.type == "cuda" else torch.float32
        model = AutoModelForImageTextToText.from_pretrained(
            path, dtype=kind, use_safetensors=True, trust_remote_code=False
        )
        self.model = model.to(device).eval().requires_grad_(False)
        self.vocabulary = self.model.config.get_text_config().vocab_size
        self.processor = AutoProcessor.from_pretrained(path, trust_remote_code=False)
        self.tokenizer = self.processor.tokenizer
        self.tokenizer.padding_side = "left"
        self.longest_edge, self.likelihood, self.corner = longest_edge, likelihood, corner

    @torch.no_grad()
    def __call__(self, examples: Sequence[Example], boxes: Sequence[Sequence[Box | None]]) -> torch.Tensor:
        pairs, places = unique_pairs(boxes, CORNER if self.corner else WHOLE)
        prompts, answers = zip(*map(self.texts, examples), strict=True)
        ids = [self.tokenizer.encode(answer, add_special_tokens=False) for answer in answers]
        # The token before the answer has logits too.
        lengths, scores = [len(ids[row]) + 1 for row, _ in pairs], []
        for start, stop in batches_by_tokens(lengths, BATCH, MAX_LOGITS // self.vocabulary):
            some = pairs[start:stop]
            views = [[examples[row].image, cropped(examples[row].image, box)] for row, box in some]
            scores += self._scores([prompts[row] for row, _ in some], [ids[row] for row, _ in some], views)
        return torch.tensor([[scores[place] for place in group] for group in places])

    def texts(self, example: Example) -> tuple[str, str]:
        """A prompt in the model's chat template, and the answer as the template goes on after it, with its end.

        Raises ValueError for a template in which a reply does not follow its prompt.
        """
        asked = target_prompt(example.asked or example.question)
        answer = f"{most_common(example.answers).capitalize()}."
        user = {"role": "user", "content": [{"type": "image"}, {"type": "image"}, {"type": "text", "text": asked}]}
        reply = {"role": "assistant", "content": [{"type": "text", "text": answer}]}
        prompt = self.processor.apply_chat_template([user], add_generation_prompt=True, tokenize=False)
        whole = self.processor.apply_chat_template([user, reply], tokenize=False)
        if not whole.startswith(prompt):
            raise ValueError("the chat template of the reward's checkpoint does not put a reply behind its prompt")
        rest = whole[len(prompt) :].rstrip()
        ends = rest.endswith(tuple(self.tokenizer.get_added_vocab()))
        return prompt, rest if ends else rest + self.tokenizer.eos_token

    def _scores(
        self, prompts: list[str], ids: Sequence[list[int]], views: Sequence[Sequence[Image.Image]]
    ) -> list[float]:
        """`ids`: of each answer; `views`: each prompt's pictures."""
        length, device = max(map(len, ids)), self.model.device
        if self.model.config.model_type in TILED:
            sized, how = views, {"size": {"longest_edge": self.longest_edge}}
        else:
            sized, how = [[shrunk(view, self.longest_edge) for view in pair] for pair in views], {}
        inputs = dict(self.processor(text=prompts, images=sized, padding=True, return_tensors="pt", **how))
        answer_ids = torch.tensor([[*each, *[self.tokenizer.pad_token_id] * (length - len(each))] for each in ids])
        mask = torch.tensor([[1] * len(each) + [0] * (length - len(each)) for each in ids])
        shape = inputs["input_ids"].shape
        for name, tensor in inputs.items():
            if tensor.shape == shape:
                # What stands beside each token, as its type: 0 for text.
                more = {"input_ids": answer_ids, "attention_mask": mask}.get(name, torch.zeros_like(answer_ids))
                inputs[name] = torch.cat([tensor, more.to(tensor.dtype)], dim=1)
        inputs = {
            name: tensor.to(device, self.model.dtype if tensor.is_floating_point() else tensor.dtype)
            for name, tensor in inputs.items()
        }
        logits = self.model(**inputs, logits_to_keep=length + 1).logits[:, :-1].float()
        found = torch.log_softmax(logits, dim=-1).gather(-1, answer_ids.to(device)[..., None]).squeeze(-1)
        mask = mask.to(device)
        sums = (found * mask).sum(dim=1)
        return (sums / mask.sum(dim=1) if self.likelihood == "mean" else sums).tolist()
