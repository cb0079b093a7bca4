"""Normalisation inside the graph: the same float32 values as transformers' processor, and what is refused."""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from transformers import Idefics3ImageProcessorPil

from cropvlm_trainer.export.graphs.graph import Graph
from cropvlm_trainer.export.graphs.pixels import NORMALISED, Normalisation, normalisation, read_normalisation
from cropvlm_trainer.golden.settings import REAL_FILES

HALVES = Normalisation(1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
CLIP = Normalisation(1 / 255, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
# Every byte in every channel, each channel in an order of its own.
TILES = np.stack([np.arange(256) * step % 256 for step in (1, 3, 5)], axis=-1).reshape(1, 16, 16, 3).astype(np.uint8)


def in_graph(scale: Normalisation, tiles: np.ndarray) -> np.ndarray:
    graph = Graph("pixels")
    scale.add(graph, graph.input("pixel_values", "uint8", ["tiles", 16, 16, 3]))
    graph.output(NORMALISED, "float", ["tiles", 3, 16, 16])
    return ort.InferenceSession(graph.build().SerializeToString()).run(None, {"pixel_values": tiles})[0]


def by_transformers(scale: Normalisation, tile: np.ndarray) -> np.ndarray:
    processor = Idefics3ImageProcessorPil(
        size={"longest_edge": 16},
        max_image_size={"longest_edge": 16},
        image_mean=list(scale.mean),
        image_std=list(scale.std),
        rescale_factor=scale.rescale,
    )
    return np.asarray(processor(tile, return_tensors="np")["pixel_values"])[0]


@pytest.mark.parametrize("scale", [HALVES, CLIP, Normalisation(1 / 256, (0.1, 0.2, 0.3), (1.0, 0.5, 2.0))])
def test_every_byte_becomes_what_transformers_makes_of_it(scale: Normalisation) -> None:
    expected = by_transformers(scale, TILES[0])
    np.testing.assert_array_equal(in_graph(scale, TILES), expected)
    np.testing.assert_array_equal(scale.planes(TILES), expected)


def test_rows_of_pixels_become_planes() -> None:
    tiles = np.zeros((2, 16, 16, 3), dtype=np.uint8)
    tiles[1, 2, 5] = (255, 51, 0)
    found = in_graph(HALVES, tiles)
    assert found.shape == (2, 3, 16, 16)
    np.testing.assert_allclose(found[1, :, 2, 5], [1, -0.6, -1], atol=1e-6)
    found[1, :, 2, 5] = -1
    assert (found == -1).all()


def test_it_is_read_from_the_folder(tmp_path: Path) -> None:
    made = {"image_mean": CLIP.mean, "image_std": CLIP.std}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(made))
    assert read_normalisation(tmp_path) == CLIP
    assert normalisation(made | {"rescale_factor": 1 / 256}).rescale == 1 / 256
    if REAL_FILES.is_dir():
        assert read_normalisation(REAL_FILES) == HALVES


@pytest.mark.parametrize("step", ["do_resize", "do_rescale", "do_normalize"])
def test_what_the_service_refuses_is_refused(step: str) -> None:
    made = {"image_mean": CLIP.mean, "image_std": CLIP.std, step: False}
    with pytest.raises(ValueError, match=f"`{step}` is false in preprocessor_config.json"):
        normalisation(made)


def test_a_factor_that_float32_rounds_otherwise_is_refused() -> None:
    with pytest.raises(ValueError, match="`rescale_factor` 0.00392 in preprocessor_config.json cannot be exported"):
        in_graph(Normalisation(0.00392, HALVES.mean, HALVES.std), TILES)
