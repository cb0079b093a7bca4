"""The goldens in test/fixtures are what transformers gives today, and the exported graphs agree with them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.paths import REPOSITORY
from transformers import AutoProcessor

from cropvlm_trainer.contract import cropper_prompt, parse_box, target_prompt
from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.golden import images
from cropvlm_trainer.golden.fixtures.models import tiny_model
from cropvlm_trainer.golden.generate import answer
from cropvlm_trainer.golden.prompts import prompts
from cropvlm_trainer.golden.settings import REAL_FILES, SEED
from cropvlm_trainer.idefics3.image_processing import tile_grid, tiles
from cropvlm_trainer.idefics3.prompts import PromptEncoder, without_added_tokens

FIXTURES = REPOSITORY / "test" / "fixtures"
GOLDEN, TINY_FOLDER = FIXTURES / "golden", FIXTURES / "models" / "tiny"


def cases(name: str) -> list[dict]:
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["cases"]


@pytest.fixture(scope="module")
def processor():
    return AutoProcessor.from_pretrained(TINY_FOLDER)


def test_patterns() -> None:
    assert np.asarray(pattern_image("hash", 6, 5))[4, 5].tolist() == [
        ((5 * 7 + 4 * 13 + c * 29) ^ 20) & 255 for c in range(3)
    ]
    assert np.asarray(pattern_image("gradient", 1, 1)).tolist() == [[[0, 0, 0]]]
    assert np.asarray(pattern_image("gradient", 3, 2))[1, 2].tolist() == [255, 255, 255]
    assert np.asarray(pattern_image("checker", 8, 1))[0, [0, 7]].tolist() == [[0, 0, 255], [255, 255, 0]]
    assert np.asarray(pattern_image("strokes", 24, 18))[2, [14, 2]].tolist() == [[20, 50, 80], [245, 235, 225]]


def test_grids(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = cases("grids")
    assert len(kept) == len(images.GRID_SIZES) * 6
    for case in kept:
        rows, cols = tile_grid(case["width"], case["height"], case["longest_edge"], case["tile"])
        single = case["rows"] == case["cols"] == 0
        assert (rows, cols) == ((1, 1) if single else (case["rows"], case["cols"])), case
        assert case["tiles"] == (1 if single else rows * cols + 1)
    monkeypatch.setattr(images, "GRID_SIZES", [(1, 1), (37, 11), (65, 64), (300, 1000), (1000, 300)])
    made = images.grids()["cases"]
    assert len(made) == 30 and all(case in kept for case in made)


# Cases of larger images take seconds each. They are left to `cropvlm-train golden`, whose output git compares.
SMALL = [case for case in cases("pixels") if case["width"] * case["height"] <= 10**6]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case["expected"])
def test_pixels(case: dict) -> None:
    image = pattern_image(case["pattern"], case["width"], case["height"])
    made, rows, cols = images.tiles_of(image, case["tile"], case["longest_edge"])
    np.testing.assert_array_equal(tiles(image, case["longest_edge"], case["tile"]), made)
    kept = np.asarray(Image.open(GOLDEN / case["expected"]))
    assert (rows, cols) == (case["rows"], case["cols"])
    assert kept.shape == (max(rows, 1) * case["tile"], max(cols, 1) * case["tile"], 3)
    np.testing.assert_array_equal(made[0], kept[: case["tile"], : case["tile"]])
    if case["global"]:
        np.testing.assert_array_equal(made[-1], np.asarray(Image.open(GOLDEN / case["global"])))
        np.testing.assert_array_equal(made[-2], kept[-case["tile"] :, -case["tile"] :])


@pytest.mark.parametrize(("name", "folder"), [("tiny", TINY_FOLDER), ("smolvlm-256m-instruct", REAL_FILES)])
def test_prompts(name: str, folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip("../shared/smolvlm-256m-instruct is not there")
    kept = [case for case in cases("prompts") if case["tokenizer"] == name]
    assert kept == prompts({name: folder})["cases"]
    assert max(len(case["question"]) for case in kept) == 2000


@pytest.mark.parametrize("kind", ["cropper", "target"])
def test_prompts_are_the_processors_own(kind: str, processor) -> None:
    """The ids of a picture and a chat message as the processor's `__call__` makes them, without any of our code."""
    text = (cropper_prompt if kind == "cropper" else target_prompt)("What is the total?")
    pictures = [pattern_image("hash", 128, 64), pattern_image("hash", 60, 64)][: 1 if kind == "cropper" else 2]
    content = [{"type": "image"} for _ in pictures] + [{"type": "text", "text": text}]
    prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    ids = processor(text=prompt, images=pictures, size={"longest_edge": 128})["input_ids"][0]
    assert ids == PromptEncoder(processor)(text, [(1, 2), (2, 2)][: len(pictures)])


def test_special_tokens_in_a_question_are_plain_text(processor) -> None:
    plain = without_added_tokens(processor.tokenizer)
    special = set(processor.tokenizer.get_added_vocab().values())
    for case in cases("prompts"):
        if case["tokenizer"] == "tiny" and "<" in case["question"]:
            ids = plain.encode(case["question"].capitalize(), add_special_tokens=False).ids
            assert not special & set(ids)
            assert plain.decode(ids) == case["question"].capitalize()


def test_generate_is_what_torch_says(processor) -> None:
    model, encode = tiny_model(SEED), PromptEncoder(processor)
    kept = cases("generate")
    assert len(kept) >= 50 and len({tuple(case["tokens"]) for case in kept}) >= 50
    small = sorted(kept, key=lambda case: case["prompt_tokens"])
    for case in [*small[:3], *[c for c in small if c["kind"] == "target"][:3], small[len(small) // 2]]:
        asked = {key: value for key, value in case.items() if key not in ("prompt_tokens", "tokens", "min_margin")}
        found = answer(model, processor, encode, asked)
        assert found and (found["prompt_tokens"], found["tokens"]) == (case["prompt_tokens"], case["tokens"])
        assert found["min_margin"] == pytest.approx(case["min_margin"], abs=5e-4)


@pytest.mark.parametrize(
    ("folder", "golden"), [("tiny", "generate"), ("tiny-hub", "generate"), ("tiny-box", "generate-box")]
)
def test_generate_is_what_the_graphs_say(folder: str, golden: str, processor) -> None:
    model, encode = OnnxModel(FIXTURES / "models" / folder), PromptEncoder(processor)
    end = processor.tokenizer.eos_token_id
    for case in cases(golden):
        pixels, grids = [], []
        for shown in [case, case["crop"]] if "crop" in case else [case]:
            image = pattern_image(shown["pattern"], shown["width"], shown["height"])
            pixels.append(tiles(image, case["longest_edge"], 64))
            rows, cols = tile_grid(shown["width"], shown["height"], case["longest_edge"], 64)
            grids.append((0, 0) if rows == cols == 1 else (rows, cols))
        text = (cropper_prompt if case["kind"] == "cropper" else target_prompt)(case["question"])
        ids = np.array([encode(text, grids)])
        features = model.image_features(np.concatenate(pixels))
        embeds = model.embeddings(ids, features, processor.image_token_id)
        assert ids.shape[1] == case["prompt_tokens"]
        assert model.generate(embeds, {end}, 24)[0] == case["tokens"], case


def test_boxes_are_read_from_the_answers(processor) -> None:
    kept = cases("generate-box")
    assert {case["box"] is None for case in kept} == {True, False}
    for case in kept:
        text = processor.tokenizer.decode(case["tokens"], skip_special_tokens=True)
        box = parse_box(text)
        assert (case["text"], case["box"]) == (text, box and list(box))
