"""ViCrop as a cropper of an evaluation: boxes from the attention of a VLM that was not taught to give any.

The VLM is asked the target's prompt. Its own answer is not needed: what counts is where its last token looks, after
which the answer would begin.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from transformers import BatchFeature

from cropvlm_trainer.attention.box import attention_box, base_side
from cropvlm_trainer.attention.maps import GENERAL_QUESTION, METHODS, attention_layers, image_map, relative
from cropvlm_trainer.attention.torch_attention import gradient_attention, last_attention
from cropvlm_trainer.boxes import Box, around
from cropvlm_trainer.contract import target_prompt
from cropvlm_trainer.idefics3.adapter import open_for_inference
from cropvlm_trainer.idefics3.image_processing import tile_grid
from cropvlm_trainer.idefics3.prompts import chat_text

KEPT_MAPS = 8
"""Images whose general maps are kept, as many as `open_image` keeps."""


class AttentionCropper:
    """One method with an Idefics3 checkpoint, or a LoRA adapter merged into its base.

    The model is in fp32 on the CPU, in bf16 on a GPU.
    """

    def __init__(
        self,
        folder: Path,
        method: str,
        longest_edge: int | None = None,
        layers: Sequence[int] = (),
        device: str = "auto",
    ) -> None:
        """`longest_edge` of the images that the model sees is in pixels; None is one tile.

        `layers`: those whose attention counts, from 0, the mean of them; without any the one in the middle.
        Raises FileNotFoundError where checkpoint or base is missing, ValueError for a method, a layer or a
        `longest_edge` that there is not.
        """
        if method not in METHODS:
            raise ValueError(f"unknown method {method!r}; known are {', '.join(METHODS)}")
        self.model, self.processor, self.tile, self.longest_edge = open_for_inference(folder, longest_edge, device)
        self.method = method
        self.layers = attention_layers(layers, self.model.config.text_config.num_hidden_layers)
        self._general: deque[tuple[Image.Image, np.ndarray]] = deque(maxlen=KEPT_MAPS)

    def boxes(self, questions: Iterable[tuple[Callable[[], Image.Image], str]]) -> Iterator[Box]:
        """Yields a box in whole per cent for each image, which is opened by a call, and question."""
        for image, question in questions:
            yield self.box(image(), question)

    def box(self, image: Image.Image, question: str) -> Box:
        width, height = image.size
        cells = self.map(image, question)
        return around(attention_box(cells, width, height, base_side(cells, width, height, self.tile)))

    def map(self, image: Image.Image, question: str) -> np.ndarray:
        """The question's map over the image, f64 [rows, columns]."""
        if self.method == "grad-att":
            return self._map(image, question, gradient_attention)
        return relative(self._map(image, question, last_attention), self._general_map(image))

    def _general_map(self, image: Image.Image) -> np.ndarray:
        """The general question's map, which depends on the image alone: it is computed once for all its questions."""
        kept = next((cells for known, cells in self._general if known is image), None)
        if kept is None:
            kept = self._map(image, GENERAL_QUESTION, last_attention)
            self._general.append((image, kept))
        return kept

    def _map(self, image: Image.Image, question: str, attention: Callable) -> np.ndarray:
        inputs = self._inputs(image, target_prompt(question))
        found = attention(self.model, inputs, self.layers).mean(dim=0)
        on_image = found[inputs["input_ids"][0] == self.model.config.image_token_id].float().cpu().numpy()
        return image_map(on_image, *tile_grid(*image.size, self.longest_edge, self.tile))

    def _inputs(self, image: Image.Image, text: str) -> BatchFeature:
        chat = chat_text(self.processor, 1, text)
        size = {"longest_edge": self.longest_edge}
        inputs = self.processor(text=chat, images=[[image]], size=size, return_tensors="pt")
        return inputs.to(self.model.device, self.model.dtype)
