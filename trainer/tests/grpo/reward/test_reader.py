"""Rewards by what a program reads in a crop: functions of one's own, in real processes, and a real OCR."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys

import pytest
from PIL import Image, ImageDraw, ImageFont
from support.lines import read_lines
from support.reward_examples import EXAMPLES

from cropvlm_trainer.grpo.reward.reading import cut, load_reader
from cropvlm_trainer.grpo.reward.rewards import make_reward
from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.training.reward_config import ReaderReward
from cropvlm_trainer.training.stages import GrpoConfig

BOX, OTHER = (0, 0, 50, 50), (20, 20, 90, 90)
SOURCE = """
def sizes(image, crop, question):
    return None if crop.size == (3, 3) else f"{question} {image.size} {crop.size}"

def fails(image, crop, question):
    raise KeyError("no model")

def wrong(image, crop, question):
    return 7
"""


@pytest.fixture
def made(encoder, policy, tmp_path, monkeypatch):
    (tmp_path / "own_reader.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    rewards = []

    def made(function: str, longest_edge: int | None = 50, **settings):
        reward = ReaderReward("reader", function, longest_edge, processes=1)
        config = GrpoConfig(tmp_path, tmp_path, tmp_path / "run", reward=reward, **settings)
        rewards.append(make_reward(config, policy, encoder))
        return rewards[-1]

    yield made
    for reward in rewards:
        reward.close()
    assert multiprocessing.active_children() == []


def test_a_function_reads_each_crop_once_and_is_kept(made, tmp_path):
    examples = [Example(EXAMPLES[0].image, "How large?", ["(90, 70) (50, 38)"]), EXAMPLES[1]]
    reward = made("own_reader:sizes")
    found = reward(examples, [[BOX, BOX, None, OTHER], [OTHER, None, None, OTHER]])
    # Crops of the first are 50 x 39 pixels, which is not its answer; "here" stands in the second's question.
    assert found["accuracy"].tolist() == [[0.0] * 4, [1.0] * 4]
    assert found["format"].tolist() == [[0.25, 0.25, 0.0, 0.25], [0.25, 0.0, 0.0, 0.25]]
    rows = read_lines(tmp_path / "run" / "reward.answers.jsonl")
    assert sorted(row["answer"] for row in rows) == [
        *["How large? (90, 70) (50, 39)"] * 3,
        *["Where is it? (64, 64) (50, 50)"] * 2,
    ]
    again = made("own_reader:sizes")
    seen = again.begin([Example(EXAMPLES[0].image, "How large?", ["(90,70) (50,39)"])], [[BOX, OTHER]])
    assert seen()["accuracy"].tolist() == [[1.0, 1.0]]
    assert again.values.source._pool is None, "nothing was read anew"
    (tmp_path / "own_reader.py").write_text(SOURCE.replace("crop.size}", "crop.size}!"))
    changed = made("own_reader:sizes", None)
    assert changed(examples[:1], [[BOX, OTHER]])["accuracy"].tolist() == [[0.0, 0.0]]
    assert changed.values.source._pool is not None, "of another function, nothing is kept"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("own_reader:fails", "reward.function = 'own_reader:fails' failed: KeyError: 'no model'"),
        ("own_reader:wrong", "reward.function = 'own_reader:wrong' gave 7; it has to give a text, or None"),
    ],
)
def test_what_is_wrong_with_a_function_is_said(made, function, message):
    with pytest.raises(ValueError, match=message):
        made(function)(EXAMPLES[:1], [[BOX]])


def test_what_is_not_there_is_said_at_once(made):
    with pytest.raises(ValueError, match="reward.function = 'own_reader:nothing' is not there .*; start where"):
        made("own_reader:nothing")
    with pytest.raises(ValueError) as error:
        made("easyocr", size_free=0.1, likelihood="mean")
    for part in ("neither 'ocr' nor a function as module:function", "it needs size_weight", "is for log-likelihoods"):
        assert part in str(error.value)


def test_a_reading_process_does_without_torch():
    code = "import sys, cropvlm_trainer.grpo.reward.reading; print('torch' in sys.modules)"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_a_crop_is_enlarged_or_shrunk_to_the_edge():
    page = Image.new("RGB", (400, 200), "white")
    assert [cut(page, (0, 0, 40, 10), edge).size for edge in (80, 20, None)] == [(80, 20), (20, 5), (40, 10)]
    assert cut(page, (0, 0, 1, 200), 50).size == (1, 50)


def test_an_ocr_reads_a_good_crop_and_not_a_page_that_is_too_small(made):
    pytest.importorskip("rapidocr", reason="the OCR is not installed: pip install -e '.[ocr]'")
    page = Image.new("RGB", (800, 1000), "white")
    font = ImageFont.load_default(14)
    for line, y in {"Corner Bakery": 80, "Date: 2024-03-17": 260, "Bread 4.20": 400, "Total 11.90": 700}.items():
        ImageDraw.Draw(page).text((100, y), line, "black", font=font)
    question = Example(page, "What is the total?", ["11.90"])
    reward = made("ocr", 160)
    found = reward([question], [[(10, 68, 26, 74), None, (10, 24, 30, 30)]])
    assert found["accuracy"].tolist() == [[1.0, 0.0, 0.0]], "a crop of its line, the whole page, another line"
    assert load_reader("ocr")(page, page.crop((90, 690, 190, 720)).resize((400, 120)), "").endswith("11.90")
