"""An exported folder, of either layout, in onnxruntime on the CPU: what the checks and the tests run."""

from collections.abc import Collection
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime as ort

from cropvlm_trainer.export.graphs.pixels import Normalisation, read_normalisation

GRAPHS = ("vision_encoder", "embed_tokens", "decoder_model_merged")
ELEMENTS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
Cache = dict[str, np.ndarray]
"""Keys and values by the name of the decoder's input, [B, KV, C, hd] each."""


class OnnxModel:
    """The vision, embedding and decoder graphs of one folder in one precision."""

    def __init__(self, folder: Path, suffix: str = "") -> None:
        """`suffix`: of the graph files, a value of `precision.PRECISIONS`."""
        self.folder = folder
        self.name = f"{folder.name}/onnx/*{suffix}.onnx"
        options = ort.SessionOptions()
        options.log_severity_level = 3
        # Threads that spin while they wait would take the processor from training or tests that run beside.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.vision, self.embed, self.decoder = (
            ort.InferenceSession(folder / "onnx" / f"{graph}{suffix}.onnx", options, ["CPUExecutionProvider"])
            for graph in GRAPHS
        )
        self.inputs = {value.name: value for value in self.decoder.get_inputs()}
        self.fused = "logit_indices" in self.inputs
        self.gives_attention = "attention" in [value.name for value in self.decoder.get_outputs()]

    def image_features(self, tiles: np.ndarray) -> np.ndarray:
        """The features f32 [tiles, T, D] of tiles uint8 [tiles, S, S, 3]."""
        if self.fused:
            return self.vision.run(None, {"pixel_values": tiles})[0]
        pixels, mask = self._normalisation.planes(tiles), np.ones((1, *tiles.shape[:3]), dtype=bool)
        return self.vision.run(None, {"pixel_values": pixels[None], "pixel_attention_mask": mask})[0]

    @cached_property
    def _normalisation(self) -> Normalisation:
        return read_normalisation(self.folder)

    def embeddings(self, ids: np.ndarray, features: np.ndarray | None, image_token: int) -> np.ndarray:
        """The embeddings f32 [B, L, D] of `ids` i64 [B, L], with the image features in place of the image tokens."""
        embeds = self.token_embeddings(ids)
        if features is not None:
            embeds[ids == image_token] = features.reshape(-1, embeds.shape[-1])
        return embeds

    def prompt(self, ids: np.ndarray, tiles: np.ndarray, image_token: int) -> np.ndarray:
        """The decoder's input f32 [1, L, D] of one prompt: `ids` i64 [1, L], `tiles` uint8 [tiles, S, S, 3]."""
        return self.embeddings(ids, self.image_features(tiles), image_token)

    def token_embeddings(self, ids: np.ndarray) -> np.ndarray:
        """The embeddings f32 [B, L, D] of `ids` i64 [B, L]."""
        return self.embed.run(None, {"input_ids": ids})[0]

    def empty_cache(self, batch: int = 1) -> Cache:
        """A cache of no tokens, in the element type that the graph declares."""
        past = [value for name, value in self.inputs.items() if name.startswith("past_key_values.")]
        return {
            value.name: np.zeros((batch, value.shape[1], 0, value.shape[3]), ELEMENTS[value.type]) for value in past
        }

    def decode(
        self, embeds: np.ndarray, mask: np.ndarray, cache: Cache, wanted: np.ndarray | None = None
    ) -> tuple[np.ndarray, Cache]:
        """Runs the decoder. Returns the logits f32 [B, K, V] of the tokens `wanted`, and the cache with these tokens.

        `embeds` f32 [B, L, D]; `mask` i64 [B, P + L], as of the decoder graph; `cache`: of the P tokens before;
        `wanted` i64 [B, K], each 0 to L - 1; None for all.
        """
        batch, length = embeds.shape[:2]
        wanted = np.tile(np.arange(length), (batch, 1)) if wanted is None else wanted
        feeds = {"inputs_embeds": embeds, "attention_mask": mask.astype(np.int64), **cache}
        if self.fused:
            feeds["logit_indices"] = wanted.astype(np.int64)
            logits, update = self.decoder.run(["logits", "cache_update"], feeds)
            return logits, appended(cache, update, mask)
        feeds["position_ids"] = np.maximum(mask.cumsum(1)[:, -length:] - 1, 0).astype(np.int64)
        presents = [name.replace("past_key_values.", "present.") for name in cache]
        logits, *present = self.decoder.run(["logits", *presents], feeds)
        return np.take_along_axis(logits, wanted[..., None], axis=1), dict(zip(cache, present, strict=True))

    def attention(self, embeds: np.ndarray) -> np.ndarray:
        """The output `attention` f32 [1, layers, L] after a prompt, f32 [1, L, D]."""
        length = embeds.shape[1]
        feeds = {"inputs_embeds": embeds, "attention_mask": np.ones((1, length), np.int64), **self.empty_cache()}
        return self.decoder.run(["attention"], {**feeds, "logit_indices": np.array([[length - 1]])})[0]

    def generate(self, embeds: np.ndarray, ends: Collection[int], max_new_tokens: int) -> tuple[list[int], np.ndarray]:
        """Greedy tokens after a prompt, the end token included, and the logits that chose them, f32 [steps, V].

        `embeds`: of the prompt, f32 [1, L, D]; `ends`: the ids that end an answer.
        """
        cache, tokens, steps, mask = self.empty_cache(), [], [], np.ones((1, embeds.shape[1]), dtype=np.int64)
        while True:
            logits, cache = self.decode(embeds, mask, cache, np.array([[embeds.shape[1] - 1]]))
            steps.append(logits[0, 0])
            tokens.append(int(logits[0, 0].argmax()))
            if tokens[-1] in ends or len(tokens) == max_new_tokens:
                return tokens, np.stack(steps)
            embeds = self.token_embeddings(np.array([tokens[-1:]], dtype=np.int64))
            mask = np.ones((1, mask.shape[1] + 1), dtype=np.int64)


def appended(cache: Cache, update: np.ndarray, mask: np.ndarray) -> Cache:
    """A copy of the cache ([B, KV, C, hd] each) with a run's `cache_update` written after each row's own tokens.

    `update` [B, parts * KV, L, hd]; `mask` i64 [B, P + L], as the run had it. In a run without a cache shorter rows end
    in padding, which is left out.
    """
    length, totals = update.shape[2], mask.sum(1)
    grown = {}
    for (name, past), new in zip(cache.items(), np.split(update, len(cache), axis=1), strict=True):
        capacity = max(past.shape[2], int(totals.max()))
        whole = np.zeros((*past.shape[:2], capacity, past.shape[3]), past.dtype)
        whole[:, :, : past.shape[2]] = past
        for row, total in enumerate(totals):
            start = max(int(total) - length, 0)
            whole[row, :, start:total] = new[row, :, : total - start]
        grown[name] = whole
    return grown
