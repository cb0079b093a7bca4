"""The reward of a model behind an endpoint: what it is asked, what is kept, and what comes where it does not answer."""

from __future__ import annotations

import base64
import json
from io import BytesIO

import pytest
import torch
from PIL import Image
from support.chat_server import chat_server, text_of
from support.reward_examples import EXAMPLES

from cropvlm_trainer.chat.endpoint import Endpoint
from cropvlm_trainer.grpo.reward import endpoint
from cropvlm_trainer.grpo.reward.rewards import make_reward
from cropvlm_trainer.training.reward_config import EndpointReward
from cropvlm_trainer.training.stages import GrpoConfig

BOX, OTHER = (0, 0, 50, 50), (20, 20, 90, 90)
BOXES = [[BOX, BOX, OTHER, None], [OTHER, None, None, OTHER]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    settled = Endpoint.__post_init__

    def hurried(self):
        settled(self)
        object.__setattr__(self, "backoff", 0.001)

    monkeypatch.setattr(Endpoint, "__post_init__", hurried)


@pytest.fixture
def made(encoder, policy, tmp_path):
    rewards = []

    def made(url: str, **settings):
        reward = EndpointReward(
            "endpoint", url, "big", **{key: settings.pop(key) for key in ("prompt",) if key in settings}
        )
        config = GrpoConfig(tmp_path, tmp_path, tmp_path / "run", reward=reward, **settings)
        rewards.append(make_reward(config, policy, encoder))
        return rewards[-1]

    yield made
    for reward in rewards:
        reward.close()


def sizes_of(body) -> list[tuple[int, int]]:
    urls = [part["image_url"]["url"] for part in body["messages"][0]["content"] if part["type"] == "image_url"]
    return [Image.open(BytesIO(base64.b64decode(url.split(",")[1]))).size for url in urls]


def test_answers_are_scored_and_equal_boxes_asked_once(made, tmp_path, capsys, monkeypatch):
    with chat_server(lambda text, _: "7." if "total" in text else "there") as server:
        reward = made(server.url, measure="exact_match")
        found = reward(EXAMPLES, BOXES)
        assert found["accuracy"].tolist() == [[1.0] * 4, [1.0] * 4]
        assert found["format"].tolist() == [[0.25, 0.25, 0.25, 0.0], [0.25, 0.0, 0.0, 0.25]]
        assert reward.scalars["failed"].item() == 0
        assert len(server.requests) == 5, "three different boxes of the first, two of the second"
        assert {text_of(body) for body in server.requests} == {
            "What is the total?\nGive a very brief answer.",
            "Where is it?\nGive a very brief answer.",
        }
        assert sorted(sizes_of(body) for body in server.requests) == [
            [(64, 64), (46, 46)],
            [(64, 64), (64, 64)],
            [(90, 70), (45, 35)],
            [(90, 70), (63, 49)],
            [(90, 70), (90, 70)],
        ]
        cut = []
        monkeypatch.setattr(endpoint, "cropped", lambda *_: cut.append(1))
        again = made(server.url, measure="exact_match")(EXAMPLES, BOXES)
        assert torch.equal(again["accuracy"], found["accuracy"])
        assert (len(server.requests), cut) == (5, []), "kept by image, box and question: nothing is cut"
    kept = (tmp_path / "run" / "reward.answers.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["answer"] for line in kept) == ["7."] * 3 + ["there"] * 2
    assert capsys.readouterr().err == "", "no bar for every micro-batch"


def test_a_prompt_of_ones_own(made):
    with chat_server(lambda *_: "7") as server:
        made(server.url, prompt="Q: {question} A:")([EXAMPLES[0]], [[BOX]])
        assert server.texts() == ["Q: What is the total? A:"]
        with pytest.raises(ValueError, match="reward.prompt has no {question}"):
            made(server.url, prompt="What is it?")


def test_a_box_without_an_answer_teaches_nothing(made):
    asked = iter(range(9))
    with chat_server(lambda *_: ["7", 400, "8", "8"][next(asked)]) as server:
        reward = made(server.url)
        # One call at a time, so that the second is the one that is refused.
        object.__setattr__(reward.values.source.target.endpoint, "concurrency", 1)
        boxes = [(0, 0, n, n) for n in (20, 40, 60, 80)]
        found = reward([EXAMPLES[0]], [boxes])
    assert found["accuracy"][0].tolist() == pytest.approx([1, 1 / 3, 0, 0])
    assert reward.scalars["failed"].item() == 0.25


def test_a_key_that_is_refused_is_named_as_the_setting_is(made):
    with (
        chat_server(lambda *_: 401) as server,
        pytest.raises(ValueError, match="name the variable that holds it with reward.key_env"),
    ):
        made(server.url)([EXAMPLES[0]], [[BOX]])


def test_an_endpoint_that_refuses_ends_the_run(made):
    with (
        chat_server(lambda *_: 404) as server,
        pytest.raises(ValueError, match="check reward.model, and that reward.url"),
    ):
        made(server.url)([EXAMPLES[0]], [[BOX]])
