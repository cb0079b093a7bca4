"""What the scripts that time single graphs share: their arguments, sessions and feeds."""

import argparse
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

PAST, CAPACITY = 110, 300
"""Tokens before a decoder's run, and places of its cache."""


def parser(description: str, rounds: int) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("folder", type=Path)
    made.add_argument("--suffix", default="", help="of the graph: '' is fp32, _int8, _q4")
    made.add_argument("--rounds", type=int, default=rounds)
    return made


def options(spinning: bool = True, arena: bool = False) -> ort.SessionOptions:
    """The session options of the service (`src/vlm/onnx/session.ts`), unless told otherwise."""
    made = ort.SessionOptions()
    made.enable_cpu_mem_arena = arena
    made.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    made.add_session_config_entry("session.force_spinning_stop", "1")
    return made


def session(graph: Path | bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    return ort.InferenceSession(graph, options, ["CPUExecutionProvider"])


def tile_feeds(vision: ort.InferenceSession) -> dict[str, np.ndarray]:
    (pixels,) = vision.get_inputs()
    return {pixels.name: np.random.default_rng(0).integers(0, 256, (1, *pixels.shape[1:]), dtype=np.uint8)}


def token_feeds(decoder: ort.InferenceSession, length: int) -> dict[str, np.ndarray]:
    """`length` tokens after `PAST` others; the logits after the last are wanted."""
    shapes = {value.name: value.shape for value in decoder.get_inputs()}
    past = {name: shape for name, shape in shapes.items() if name.startswith("past")}
    cache = {name: np.zeros((1, shape[1], CAPACITY, shape[3]), np.float32) for name, shape in past.items()}
    size = (1, length, shapes["inputs_embeds"][2])
    return cache | {
        "inputs_embeds": np.random.default_rng(0).normal(size=size).astype(np.float32),
        "attention_mask": np.ones((1, PAST + length), np.int64),
        "logit_indices": np.array([[length - 1]]),
    }


def milliseconds(one: ort.InferenceSession, feeds: dict[str, np.ndarray]) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    one.run(None, feeds)
    return 1000 * (time.perf_counter() - start)
