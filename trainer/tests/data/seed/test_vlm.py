import base64
import json
import os
import signal
import subprocess
import sys
import time
from io import BytesIO

import pytest
from PIL import Image
from support.chat_server import chat_server, text_of
from support.lines import read_lines

from cropvlm_trainer.chat.endpoint import Endpoint
from cropvlm_trainer.cli import main


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Shortens the wait between tries; all other settings stay the command's."""
    settled = Endpoint.__post_init__

    def hurried(self):
        settled(self)
        object.__setattr__(self, "backoff", 0.001)

    monkeypatch.setattr(Endpoint, "__post_init__", hurried)


def write(folder, count, size=(280, 140), **more):
    """Writes a data set of `count` pages, each with a question "What IS N?"."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    for n in range(count):
        Image.new("RGB", size, (n * 20 % 256, 90, 120)).save(folder / f"images/{n}.png")
        row = {"id": f"p{n}", "image": f"images/{n}.png", "question": f"What IS {n}?", "answers": [str(n)]}
        rows.append(row | {key: value[n] for key, value in more.items()})
    (folder / "sft.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows


def command(folder, url, *more):
    paths = ["--manifest", str(folder / "sft.jsonl"), "--out", str(folder / "seeded.jsonl")]
    return ["data", "seed", "--method", "vlm", *paths, "--url", url, "--model", "big", *more]


def number_in(text: str) -> int:
    return int(text.split("What IS ")[1].split("?")[0])


def fenced(*box, label="region"):
    return "```json\n" + json.dumps([{"bbox_2d": list(box), "label": label}]) + "\n```"


def picture_of(body):
    data = body["messages"][0]["content"][0]["image_url"]["url"].split(",")[1]
    return Image.open(BytesIO(base64.b64decode(data)))


def test_boxes_are_asked_for_and_written_in_per_cent_of_what_was_sent(tmp_path, capsys):
    rows = write(tmp_path, 3, size=(1000, 515), box=[[1, 2, 3, 4], None, [5, 6, 7, 8]])
    rows[2]["seed"] = {"method": "grid"}
    (tmp_path / "sft.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with chat_server(lambda text, _: fenced(252, 52, 504, 260)) as server:
        assert main(command(tmp_path, server.url, "--grow", "none")) == 0
    assert sorted(server.texts())[0] == (
        "Outline the region in the image that would help answer the following question: What IS 0?\n"
        "Output the coordinates in JSON format with a 'bbox_2d' field containing [x1, y1, x2, y2]."
    )
    assert {(b["model"], b["temperature"], b["max_tokens"]) for b in server.requests} == {("big", 0, 256)}
    # 1000 / 28 is 35.7 and 515 / 28 is 18.4, so Qwen would see 36 x 18 patches.
    assert {picture_of(body).size for body in server.requests} == {(1008, 504)}
    box = [25.0, 10.32, 50.0, 51.59]
    seed = {"method": "vlm", "model": "big", "grown": 1.0}
    assert read_lines(tmp_path / "seeded.jsonl") == [
        {**rows[0], "box": box, "true_box": [1, 2, 3, 4], "seed": seed},
        {**rows[1], "box": box, "seed": seed},
        {**rows[2], "box": box, "seed": seed},
    ]
    assert read_lines(tmp_path / "seeded.rejected.jsonl") == []
    assert "3 of 3 rows have a box; 0 replies held more than one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("coordinates", "reply", "sent"),
    [("thousandths", (250, 100, 500, 1000), (640, 150)), ("fraction", (0.25, 0.1, 0.5, 1.0), (640, 150))],
)
def test_other_coordinates_need_no_other_size(tmp_path, coordinates, reply, sent):
    write(tmp_path, 1, size=(640, 150))
    with chat_server(lambda *_: fenced(*reply)) as server:
        assert main(command(tmp_path, server.url, "--coordinates", coordinates, "--grow", "none")) == 0
    assert picture_of(server.requests[0]).size == sent
    assert read_lines(tmp_path / "seeded.jsonl")[0]["box"] == [25.0, 10.0, 50.0, 100.0]


@pytest.mark.parametrize(
    ("coordinates", "reply", "sent"),
    [("pixels", (140, 28, 280, 56), (280, 56)), ("fraction", (0.5, 0.5, 1, 1), (300, 75))],
)
def test_a_longest_edge_shrinks_what_is_sent(tmp_path, coordinates, reply, sent):
    write(tmp_path, 1, size=(1200, 300))
    with chat_server(lambda *_: fenced(*reply)) as server:
        more = ["--longest-edge", "300", "--coordinates", coordinates, "--grow", "none"]
        assert main(command(tmp_path, server.url, *more)) == 0
    assert picture_of(server.requests[0]).size == sent
    assert read_lines(tmp_path / "seeded.jsonl")[0]["box"] == [50.0, 50.0, 100.0, 100.0]


def test_rows_whose_answers_are_all_blank_are_not_asked_about(tmp_path, capsys):
    rows = write(tmp_path, 4, answers=[["7"], ["", "Unanswerable"], None, ["8", ""]])
    with chat_server(lambda *_: fenced(28, 28, 140, 84)) as server:
        assert main(command(tmp_path, server.url, "--grow", "none")) == 0
    assert sorted(map(number_in, server.texts())) == [0, 2, 3]
    assert [row["id"] for row in read_lines(tmp_path / "seeded.jsonl")] == [rows[n]["id"] for n in (0, 2, 3)]
    assert "1 rows of" in (error := capsys.readouterr().err) and "every answer is blank or unanswerable" in error


def test_kept_replies_are_read_by_other_coordinates_without_asking_again(tmp_path, capsys):
    write(tmp_path, 2, size=(1000, 515))
    replies = [fenced(250, 100, 500, 1000), fenced(100, 100, 900, 900)]
    with chat_server(lambda text, _: replies[number_in(text)]) as server:
        assert main(command(tmp_path, server.url, "--grow", "none")) == 2
        asked = len(server.requests)
        assert {row["reason"] for row in read_lines(tmp_path / "seeded.rejected.jsonl")} == {"box outside the picture"}
        assert "--asked-as reads kept replies by others" in capsys.readouterr().err
        more = ["--coordinates", "thousandths", "--asked-as", "pixels", "--grow", "none"]
        assert main(command(tmp_path, server.url, *more)) == 0
        assert len(server.requests) == asked == 2
    assert [row["box"] for row in read_lines(tmp_path / "seeded.jsonl")] == [[25, 10, 50, 100], [10, 10, 90, 90]]
    assert read_lines(tmp_path / "seeded.rejected.jsonl") == []


def test_boxes_may_grow_by_the_areas_that_the_paper_prints(tmp_path):
    write(tmp_path, 2, size=(1400, 1400))
    sides = [28, 280]
    replies = [fenced(700 - side, 700 - side, 700 + side, 700 + side) for side in sides]
    with chat_server(lambda text, _: replies[number_in(text)]) as server:
        assert main(command(tmp_path, server.url, "--grow", "table3", "--shard", "1/1")) == 0
    assert [row["seed"]["grown"] for row in read_lines(tmp_path / "seeded.jsonl")] == [10, 1]
    assert (
        main(["data", "expand", "--manifest", str(tmp_path / "seeded.jsonl"), "--out", str(tmp_path / "x.jsonl")]) == 2
    )


def test_shards_are_put_together_and_then_grown(tmp_path):
    rows = write(tmp_path, 5, size=(1400, 1400))
    parts = [tmp_path / f"part{number}.jsonl" for number in (1, 2)]
    asked = []

    def reply(text, _):
        asked.append(number_in(text))
        return fenced(600, 600, 700 + 20 * number_in(text), 800)

    with chat_server(reply) as server:
        for number, part in enumerate(parts, 1):
            shard = command(tmp_path, server.url, "--grow", "none", "--shard", f"{number}/2")
            shard[shard.index(str(tmp_path / "seeded.jsonl"))] = str(part)
            assert main(shard) == 0
    assert sorted(asked) == [0, 1, 2, 3, 4] and len(read_lines(parts[0])) in (2, 3)
    manifest, out = ["--manifest", str(tmp_path / "sft.jsonl")], tmp_path / "merged.jsonl"
    assert main(["data", "merge", *manifest, "--out", str(out), "--parts", *map(str, parts)]) == 0
    assert [row["id"] for row in read_lines(out)] == [row["id"] for row in rows]
    grown = tmp_path / "grown.jsonl"
    assert main(["data", "expand", "--manifest", str(out), "--out", str(grown)]) == 0
    assert all(row["seed"]["grown"] >= 1 for row in read_lines(grown))


def test_growth_goes_by_percentile_over_the_whole_set(tmp_path, capsys):
    write(tmp_path, 5, size=(1400, 1400))
    sides = [112, 28, 84, 56, 140]
    replies = [fenced(700 - side, 700 - side, 700 + side, 700 + side) for side in sides]
    with chat_server(lambda text, _: replies[number_in(text)]) as server:
        assert main(command(tmp_path, server.url)) == 0
    rows = read_lines(tmp_path / "seeded.jsonl")
    assert [row["seed"]["grown"] for row in rows] == [2, 45, 4, 10, 1]
    # Half the sides are 8, 2, 6, 4 and 10 per cent, times the square root of the factor.
    assert [row["box"][0] for row in rows] == [38.69, 36.58, 38.0, 37.35, 40.0]
    assert [row["box"][3] for row in rows] == [61.31, 63.42, 62.0, 62.65, 60.0]
    printed = capsys.readouterr().out
    assert "0.54 (p20), 1.12 (p40), 1.89 (p60), 2.85 (p80), 4.00 (p100)" in printed
    assert "1 by 45, 1 by 10, 1 by 4, 1 by 2, 1 by 1" in printed


def test_rows_without_a_box_are_written_down_with_the_reason(tmp_path, capsys):
    rows = write(tmp_path, 9)
    (tmp_path / "images/6.png").write_bytes(b"no picture")
    Image.new("RGB", (4001, 20)).save(tmp_path / "images/7.png")
    two = '[{"bbox_2d": [28, 14, 56, 28]}, {"bbox_2d": [0, 0, 280, 140]}]'
    trouble = {1: "I see no sign.", 2: fenced(9, 9, 9, 30), 3: 500, 4: 400, 5: two}
    with chat_server(lambda text, before: trouble.get(number_in(text), fenced(28, 14, 56, 28))) as server:
        assert main(command(tmp_path, server.url, "--grow", "none")) == 0
        asked = len(server.requests)
    done = read_lines(tmp_path / "seeded.jsonl")
    assert [row["id"] for row in done] == ["p0", "p5", "p8"]
    assert [row["box"] for row in done] == [[10, 10, 20, 20]] * 3, "the first of two"
    assert asked == 7 - 1 + 5, "all tries for a 500, none for what cannot be sent"
    rejected = read_lines(tmp_path / "seeded.rejected.jsonl")
    assert [(row["row"], row["id"], row["reason"]) for row in rejected] == [
        (2, "p1", "no bbox_2d in the reply"),
        (3, "p2", "box without area"),
        (4, "p3", "no reply"),
        (5, "p4", "no reply"),
        (7, "p6", "undecodable image"),
        (8, "p7", "picture too narrow"),
    ]
    assert [row["reply"] for row in rejected] == [trouble[1], trouble[2], None, None, None, None]
    assert "status 500" in rejected[2]["detail"] and "in the last of 5 tries" in rejected[2]["detail"]
    assert "status 400" in rejected[3]["detail"]
    out, err = capsys.readouterr()
    assert "3 of 9 rows have a box; 1 replies held more than one" in out
    assert "6 rejected (2 no reply, 1 no bbox_2d in the reply" in out
    assert "WARNING: more than half of the rows got no box" in err
    assert len(rows) == len(done) + len(rejected)


def test_no_box_at_all_writes_no_manifest(tmp_path, capsys):
    write(tmp_path, 2)
    with chat_server(lambda *_: fenced(0.1, 0.1, 0.5, 0.5)) as server:
        assert main(command(tmp_path, server.url)) == 2
        assert "no row got a box (2 box under a pixel)" in (err := capsys.readouterr().err)
        assert "--coordinates" in err and not (tmp_path / "seeded.jsonl").exists()
        assert len(read_lines(tmp_path / "seeded.rejected.jsonl")) == 2
        assert main(command(tmp_path, server.url, "--coordinates", "fraction")) == 0
    assert read_lines(tmp_path / "seeded.rejected.jsonl") == [], "none of the first run's"


def test_trouble_that_passes(tmp_path):
    write(tmp_path, 4)
    trouble = [500, "hang up", 429, "stall"]

    def behave(text, before):
        return trouble[number_in(text)] if before < 1 else fenced(28, 14, 56, 28)

    with chat_server(behave) as server:
        assert main(command(tmp_path, server.url, "--timeout", "1")) == 0
    assert len(read_lines(tmp_path / "seeded.jsonl")) == 4 and len(server.requests) == 8


def test_killed_half_way_it_asks_only_for_the_rest(tmp_path, capsys):
    write(tmp_path, 6)
    replies = tmp_path / "seeded.replies.jsonl"
    with chat_server(lambda text, _: "stall" if number_in(text) >= 3 else fenced(28, 14, 56, 28)) as server:
        url = server.url
        run = [sys.executable, "-m", "cropvlm_trainer.cli", *command(tmp_path, url, "--concurrency", "1")]
        process = subprocess.Popen(run, stderr=subprocess.DEVNULL)
        try:
            for _ in range(3000):
                if len(server.requests) >= 4 or process.poll() is not None:
                    break
                time.sleep(0.1)
            assert process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
        finally:
            process.kill()
            process.wait()
        assert not (tmp_path / "seeded.jsonl").exists() and len(read_lines(replies)) == 3
        replies.write_text(replies.read_text() + '{"key": "to')
        first = len(server.requests)
        server.behave = lambda text, _: fenced(28, 14, 56, 28)
        assert main(command(tmp_path, url)) == 0
        assert sorted(number_in(text_of(body)) for body in server.requests[first:]) == [3, 4, 5]
        assert "3 replies of earlier runs are in" in capsys.readouterr().out
        assert [row["id"] for row in read_lines(tmp_path / "seeded.jsonl")] == [f"p{n}" for n in range(6)]
        # Once more: the file that exists is kept; when it is removed, it is written without asking again.
        assert main(command(tmp_path, url)) == 2
        assert "seeded.jsonl already exists; choose another --out or remove it" in capsys.readouterr().err
        before = (tmp_path / "seeded.jsonl").read_bytes()
        (tmp_path / "seeded.jsonl").unlink()
        assert main(command(tmp_path, url)) == 0
        assert ((tmp_path / "seeded.jsonl").read_bytes(), len(server.requests)) == (before, first + 3)


@pytest.mark.parametrize(
    ("status", "remedy"), [(401, "holds it with --key-env"), (404, "check --model, and that --url ends in /v1")]
)
def test_an_endpoint_that_is_not_what_was_meant(tmp_path, capsys, status, remedy):
    write(tmp_path, 3)
    with chat_server(lambda *_: status) as server:
        assert main(command(tmp_path, server.url, "--concurrency", "1")) == 2
    assert remedy in capsys.readouterr().err and len(server.requests) == 1


def test_a_key_from_the_environment(tmp_path, monkeypatch, capsys):
    write(tmp_path, 1)
    monkeypatch.setenv("BIG_KEY", "secret")
    with chat_server(lambda *_: fenced(28, 14, 56, 28)) as server:
        assert main(command(tmp_path, server.url, "--key-env", "NO_SUCH_KEY")) == 2
        assert "has no NO_SUCH_KEY; set it" in capsys.readouterr().err
        assert main(command(tmp_path, server.url, "--key-env", "BIG_KEY")) == 0
    assert server.headers[0]["authorization"] == "Bearer secret"


def test_manifests_that_will_not_do(tmp_path, capsys):
    rows = write(tmp_path, 2)
    with chat_server(lambda *_: "never asked") as server:
        for change, message in (
            ({"question": " "}, "row 2 of"),
            ({"image": "images/9.png"}, "images/9.png, which is not there"),
        ):
            (tmp_path / "sft.jsonl").write_text("\n".join(json.dumps(row) for row in (rows[0], rows[1] | change)))
            assert main(command(tmp_path, server.url)) == 2
            assert message in capsys.readouterr().err
        for out, message in (
            (tmp_path / "new" / "a.jsonl", "relative to the manifest"),
            (tmp_path / "a.json", ".jsonl"),
        ):
            assert main([*command(tmp_path, server.url), "--out", str(out)]) == 2
            assert message in capsys.readouterr().err
    assert not server.requests
