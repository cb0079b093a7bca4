import base64
import json
import threading
import time
from io import BytesIO

import pytest
from PIL import Image
from support.chat_server import chat_server

from cropvlm_trainer.chat import client, messages
from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.chat.client import EndpointTarget, Failed
from cropvlm_trainer.chat.endpoint import Endpoint
from cropvlm_trainer.chat.messages import Prompt


def prompt(text: str, *colors: str, size=(8, 6)) -> Prompt:
    return Prompt(text, lambda: [Image.new("RGB", size, color) for color in colors])


def target(url: str, cache: AnswerCache | None = None, **settings) -> EndpointTarget:
    quick = {"backoff": 0.001, "timeout": 20, **settings}
    return EndpointTarget(Endpoint(url, "a-model", **quick), cache or AnswerCache(None))


def test_what_is_sent_and_what_comes_back(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "of another endpoint")
    monkeypatch.setenv("OPENAI_ORG_ID", "another organization")
    with chat_server(lambda text, _: f" To {text}. ") as server:
        some = [prompt("one?", "red", "blue", size=(400, 100)), prompt("two?", "green")]
        assert target(server.url, longest_edge=200, max_tokens=7).answer(some, "x") == ["To one?.", "To two?."]
        assert target(server.url, key="secret").answer([prompt("three?", "red")], "x") == ["To three?."]
    body = next(body for body in server.requests if body["messages"][0]["content"][-1]["text"] == "one?")
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("a-model", 0, 7)
    full, crop, text = body["messages"][0]["content"]
    assert text == {"type": "text", "text": "one?"}
    for part, color in ((full, (254, 0, 0)), (crop, (0, 0, 254))):
        head, data = part["image_url"]["url"].split(",")
        image = Image.open(BytesIO(base64.b64decode(data)))
        assert (part["type"], head, image.size) == ("image_url", "data:image/jpeg;base64", (200, 50))
        assert image.getpixel((100, 25)) == color
    assert [headers["path"] for headers in server.headers] == ["/v1/chat/completions"] * 3
    assert [headers.get("authorization") for headers in server.headers] == [None, None, "Bearer secret"]
    assert not any("openai-organization" in headers for headers in server.headers)


@pytest.mark.parametrize(
    "trouble",
    [429, 500, 503, b"<html>", b"\xff\xfe", b'"a text"', b"{}", b'{"choices": [{"message": 5}]}', "hang up", "stall"],
)
def test_trouble_that_passes(trouble):
    with chat_server(lambda _, before: trouble if before < 2 else "yes") as server:
        asked = target(server.url, timeout=0.3 if trouble == "stall" else 20)
        assert asked.answer([prompt("one?")], "x") == ["yes"]
    assert server.texts() == ["one?"] * 3


def test_a_wait_that_the_endpoint_asks_for_is_kept_up_to_a_ceiling(monkeypatch):
    with chat_server(lambda _, before: (429, {"retry-after": "0.4"}) if before < 1 else "yes") as server:
        start = time.monotonic()
        assert target(server.url).answer([prompt("one?")], "x") == ["yes"]
        assert time.monotonic() - start >= 0.4
    monkeypatch.setattr(client, "MAX_WAIT", 0.01)
    for asked in ("1000", "Fri, 31 Dec 2999 23:59:59 GMT"):
        with chat_server(
            lambda _, before, asked=asked: (503, {"retry-after": asked}) if before < 2 else "yes"
        ) as server:
            assert target(server.url).answer([prompt("one?")], "x") == ["yes"]


def test_trouble_that_stays_costs_one_question_and_is_not_kept(tmp_path):
    path = tmp_path / "kept.jsonl"
    with chat_server(lambda text, _: {"bad?": 500, "odd?": 400}.get(text, "yes")) as server:
        asked = target(server.url, AnswerCache(path), tries=3)
        some = [prompt("good?"), prompt("bad?"), prompt("odd?"), prompt("fine?")]
        assert asked.answer(some, "x") == ["yes", None, None, "yes"]
    assert (server.texts().count("bad?"), server.texts().count("odd?")) == (3, 1), "a 400 stays one"
    assert AnswerCache(path).count == 2


def test_answers_without_a_text():
    refusal = {"choices": [{"message": {"content": None, "refusal": "I can't."}}]}
    with chat_server(lambda text, _: refusal if text == "refused?" else "") as server:
        assert target(server.url).answer([prompt("refused?"), prompt("empty?")], "x") == ["I can't.", ""]
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "flags", "remedy"),
    [
        (401, "--target-", "with --target-key-env"),
        (401, "--", "with --key-env"),
        (403, "--", "may not"),
        (404, "--target-", "check --target-model, and that --target-url ends"),
        (404, "--", "check --model, and that --url ends"),
    ],
)
def test_an_endpoint_that_takes_no_question_ends_the_run(status, flags, remedy):
    with chat_server(lambda *_: status) as server, pytest.raises(ValueError, match=f"replied {status}: .*{remedy}"):
        target(server.url, concurrency=1, flags=flags).answer([prompt(f"{i}?") for i in range(9)], "x")
    assert len(server.requests) == 1


def test_a_question_without_an_answer_says_why():
    def torn():
        raise Failed("the picture is torn")

    with chat_server(lambda text, _: {"bad?": 500, "odd?": 400}.get(text, "yes")) as server:
        some = [prompt("bad?"), prompt("good?"), prompt("odd?"), *[Prompt("torn?", torn)] * 3]
        # Pictures that cannot be made do not count as failures of the endpoint.
        answers = target(server.url, tries=2, concurrency=1, patience=2).ask(some, "x")
    assert answers[1] == "yes"
    assert [str(answer)[:12] for answer in answers[::2]] == ["status 500, ", "status 400, ", "the picture "]
    assert "in the last of 2 tries" in str(answers[0])
    assert "torn?" not in server.texts()
    assert {answer.__traceback__ for answer in answers if isinstance(answer, Failed)} == {None}, "holds no picture"


def test_an_endpoint_that_fails_and_fails_ends_the_run():
    some = [prompt(f"{i}?") for i in range(9)]
    with chat_server(lambda *_: 500) as server:
        with pytest.raises(ValueError, match="failed 3 questions in a row.* status 500.*run the same command again"):
            target(server.url, concurrency=1, tries=2, patience=3).answer(some, "x")
        assert len(server.requests) == 6
    with pytest.raises(ValueError, match="Connection|connect"):
        target(server.url, tries=1, patience=1).answer(some, "x")


def test_calls_are_bounded_and_really_concurrent():
    three_at_once = threading.Barrier(3)

    def behave(*_):
        three_at_once.wait(timeout=30)
        return "yes"

    with chat_server(behave) as server:
        some = [prompt(f"{i}?") for i in range(9)]
        assert target(server.url, timeout=60, concurrency=3).answer(some, "x") == ["yes"] * 9
    assert server.max_running == 3


def test_an_answer_that_is_kept_needs_no_pictures():
    made = []

    def asked(text: str, key: str) -> Prompt:
        return Prompt(text, lambda: made.append((text, key)) or [Image.new("RGB", (8, 6))], key)

    cache, some = AnswerCache(None), [asked("one?", "a"), asked("one?", "b"), asked("two?", "a")]
    with chat_server(lambda text, before: f"{text} {before}") as server:
        first = target(server.url, cache, concurrency=1).answer(some, "x")
        assert first == ["one? 0", "one? 1", "two? 0"] and len(made) == 3
        assert target(server.url, cache).answer(some[::-1], "x") == first[::-1]
        assert len(made) == len(server.requests) == 3
        target(server.url, cache, max_tokens=3).answer(some[:1], "x")
        target(server.url, cache, longest_edge=4).answer(some[:1], "x")
        assert len(made) == len(server.requests) == 5, "another setting is asked anew"


def test_pictures_are_made_and_encoded_by_as_many_threads_as_calls(monkeypatch):
    """Three prompts' pictures are made at one time: the thread of the calls alone would wait for ever."""
    three_at_once, ran, data_url = threading.Barrier(3), {"makes": set(), "encodes": set()}, messages.data_url

    def pictures() -> list[Image.Image]:
        three_at_once.wait(timeout=60)
        ran["makes"].add(threading.current_thread())
        return [Image.new("RGB", (8, 6))]

    def encoded(picture: Image.Image) -> str:
        ran["encodes"].add(threading.current_thread())
        return data_url(picture)

    monkeypatch.setattr(messages, "data_url", encoded)
    with chat_server(lambda text, _: text.upper()) as server:
        some = [Prompt(f"{n}a", pictures) for n in range(6)]
        assert target(server.url, concurrency=3).answer(some, "x") == [f"{n}A" for n in range(6)]
    assert threading.main_thread() not in ran["makes"] | ran["encodes"] and len(ran["makes"]) >= 3


def test_a_killed_run_does_not_pay_twice(tmp_path):
    path = tmp_path / "new" / "kept.jsonl"
    some = [prompt("one?", "red"), prompt("two?", "red")]
    with chat_server(lambda text, _: f"to {text}") as server:
        assert target(server.url, AnswerCache(path)).answer(some, "x") == ["to one?", "to two?"]
        path.write_text(path.read_text() + '{"key": "torn')
        again = target(server.url, AnswerCache(path))
        assert again.answer([*some, prompt("three?", "red")], "x") == ["to one?", "to two?", "to three?"]
        assert sorted(server.texts()) == ["one?", "three?", "two?"]
        # A request with another picture or setting is asked.
        target(server.url, AnswerCache(path)).answer([prompt("one?", "blue")], "x")
        target(server.url, AnswerCache(path), max_tokens=3).answer([prompt("one?", "red")], "x")
        assert len(server.requests) == 5
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(row["answer"] for row in rows) == ["to one?"] * 3 + ["to three?", "to two?"]
    path.write_text("hello\n")
    with pytest.raises(ValueError, match="line 1 of .*kept.jsonl is no kept answer; remove"):
        AnswerCache(path)
