import json
import os
import subprocess
import sys

import pytest
from datasets import disable_progress_bars
from support.dataset_files import TEN, image_path, picture, write_docvqa, write_parquet, write_stvqa, write_textvqa
from support.lines import read_lines

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.synth import dataset

disable_progress_bars()


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    write_textvqa(folder / "textvqa")
    write_docvqa(folder / "docvqa")
    write_stvqa(folder / "stvqa.parquet")
    dataset.write(folder / "synth", 3, 1)
    return folder


def arguments(sets, out, *more, shard_size=2):
    sources = [
        f"textvqa={sets / 'textvqa'}",
        f"docvqa={sets / 'docvqa'}",
        f"infographicvqa={sets / 'docvqa'}",
        f"stvqa={sets / 'stvqa.parquet'}",
        f"jsonl={sets / 'synth'}",
    ]
    return ["data", "build", "--source", *sources, "--out", str(out), "--shard-size", str(shard_size), *more]


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(sets, tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "set"
    assert main(arguments(sets, out)) == 0
    return out


def test_every_source_becomes_rows_of_one_kind(built):
    rows = read_lines(built / "manifest.jsonl")
    first = rows[0]
    assert {key: value for key, value in first.items() if key != "id"} == {
        "source": "textvqa",
        "image": image_path(picture(0)),
        "question": "what does it say?",
        "answers": TEN,
        "source_id": 700,
        "other_answers": ["end"],
    }
    assert [row["source"] for row in rows] == (
        ["textvqa"] * 7 + ["docvqa"] * 4 + ["infographicvqa"] * 3 + ["stvqa"] * 2 + ["synth"] * 3
    )
    assert len({row["id"] for row in rows}) == len(rows)
    docvqa = rows[7]
    assert (docvqa["answers"], docvqa["source_id"]) == (["0", "page", "zero"], "700")
    assert docvqa["image"] == image_path(picture(20, "PNG"), "png")
    stvqa = rows[14]
    assert stvqa["answers"] == ["north", "North"] and "source_id" not in stvqa and "box" not in stvqa


def test_images_are_stored_once_with_their_bytes(built):
    rows = read_lines(built / "manifest.jsonl")
    stored = {str(path.relative_to(built)) for path in (built / "images").rglob("*.*")}
    assert stored == {row["image"] for row in rows}
    assert len(stored) == 4 + 4 + 3 + 2 + 3
    assert (built / image_path(picture(30))).read_bytes() == picture(30)
    assert {path.name for path in built.iterdir()} == {"manifest.jsonl", "rejected.jsonl", "build.json", "images"}


def test_rows_of_ours_keep_their_boxes_and_fields(built, sets):
    own = read_lines(sets / "synth" / "manifest.jsonl")
    rows = [row for row in read_lines(built / "manifest.jsonl") if row["source"] == "synth"]
    for row, before in zip(rows, own, strict=True):
        assert row["source_id"] == before["id"]
        assert {key: row[key] for key in ("kind", "question", "answers", "box")} == {
            key: before[key] for key in ("kind", "question", "answers", "box")
        }
        assert (built / row["image"]).read_bytes() == (sets / "synth" / before["image"]).read_bytes()


def test_what_is_left_out_is_counted_by_reason_and_written_down(built, sets):
    rejected = read_lines(built / "rejected.jsonl")
    assert [(row["source"], row["row"], row["reason"]) for row in rejected] == [
        ("stvqa", 1, "no question"),
        ("stvqa", 2, "no answers"),
        ("stvqa", 3, "undecodable image"),
        ("stvqa", 4, "no image"),
    ]
    assert rejected[2]["question"] == "What?" and "truncated" in rejected[2]["detail"].lower()
    assert rejected[2]["location"] == str(sets / "stvqa.parquet")
    counts = json.loads((built / "build.json").read_text())["counts"]
    assert (counts["rows"], counts["images"]) == (19, 16)
    assert counts["sources"]["textvqa"] == {
        "read": 8,
        "duplicates": 1,
        "duplicates_with_other_answers": 1,
        "rejected": {},
    }
    assert counts["sources"]["stvqa"] == {
        "read": 7,
        "duplicates": 1,
        "duplicates_with_other_answers": 1,
        "rejected": {"no answers": 1, "no image": 1, "no question": 1, "undecodable image": 1},
    }


def test_a_finished_set_is_reported_and_left_alone(built, sets, capsys):
    before = tree(built)
    assert main(arguments(sets, built)) == 0
    said = capsys.readouterr().out
    assert "19 questions on 16 images" in said
    assert "stvqa: 7 rows read, 1 dropped as duplicates" in said and "1 undecodable image" in said
    assert tree(built) == before


def test_the_size_of_parts_does_not_show(built, sets, tmp_path):
    assert main(arguments(sets, tmp_path / "set", shard_size=1000)) == 0
    for name in ("manifest.jsonl", "rejected.jsonl"):
        assert (tmp_path / "set" / name).read_bytes() == (built / name).read_bytes()


class Killed(BaseException):
    pass


def moves_until_killed(monkeypatch, moves, after):
    """Lets the build rename `moves` drafts to their final names, then breaks it off before or after the next one."""
    left = [moves]

    def move(draft, path):
        left[0] -= 1
        if left[0] >= 0 or after:
            REPLACE(draft, path)
        if left[0] < 0:
            raise Killed

    monkeypatch.setattr(os, "replace", move)
    return left


REPLACE = os.replace


@pytest.mark.parametrize("after", [False, True])
def test_a_build_killed_time_and_again_ends_as_if_it_had_not_been(built, sets, tmp_path, monkeypatch, after):
    """Each run writes the last three files again, so that only a run that may write three can finish."""
    runs = 0
    for runs in range(40):  # noqa: B007
        moves_until_killed(monkeypatch, 3, after)
        try:
            assert main(arguments(sets, tmp_path / "set")) == 0
            break
        except Killed:
            continue
    assert 5 < runs < 39
    assert tree(tmp_path / "set") == tree(built)


@pytest.mark.parametrize("after", [False, True])
def test_a_build_killed_once_anywhere_ends_as_if_it_had_not_been(sets, tmp_path, monkeypatch, after):
    sources = ["data", "build", "--source", f"docvqa={sets / 'docvqa'}", f"stvqa={sets / 'stvqa.parquet'}"]
    left = moves_until_killed(monkeypatch, 99, after)
    assert main([*sources, "--out", str(tmp_path / "whole")]) == 0
    total = 99 - left[0]
    for moves in range(total):
        out = tmp_path / str(moves)
        moves_until_killed(monkeypatch, moves, after)
        with pytest.raises(Killed):
            main([*sources, "--out", str(out)])
        monkeypatch.setattr(os, "replace", REPLACE)
        assert main([*sources, "--out", str(out)]) == 0
        assert tree(out) == tree(tmp_path / "whole"), moves


def test_a_real_process_that_dies_is_gone_on_with(built, sets, tmp_path):
    """A killed process runs no `finally`. Only the part that it was writing is lost."""
    out = tmp_path / "set"
    code = (
        "import os, sys\n"
        "from cropvlm_trainer.cli import main\n"
        "replace, left = os.replace, [int(sys.argv[1])]\n"
        "def dying(draft, path):\n"
        "    left[0] -= 1\n"
        "    os._exit(9) if left[0] < 0 else replace(draft, path)\n"
        "os.replace = dying\n"
        "main(sys.argv[2:])\n"
    )
    died = subprocess.run([sys.executable, "-c", code, "20", *arguments(sets, out)], capture_output=True)
    assert died.returncode == 9, died.stderr.decode()
    assert not (out / "manifest.jsonl").exists()
    parts = sorted((out / "parts").glob("*.part"))
    assert len(parts) > 3
    old = parts[0].stat().st_mtime_ns
    assert main(arguments(sets, out, "--limit", "99")) == 2
    assert parts[0].stat().st_mtime_ns == old
    assert main(arguments(sets, out)) == 0
    assert tree(out) == tree(built)


def test_limit_counts_the_rows_of_each_source(sets, tmp_path):
    assert main(arguments(sets, tmp_path / "set", "--limit", "3")) == 0
    sources = [row["source"] for row in read_lines(tmp_path / "set" / "manifest.jsonl")]
    assert {name: sources.count(name) for name in sources} == {
        "textvqa": 3,
        "docvqa": 3,
        "infographicvqa": 3,
        "stvqa": 1,
        "synth": 3,
    }


def test_another_split_reads_its_own_files(sets, tmp_path):
    ask = ["data", "build", "--source", f"docvqa={sets / 'docvqa'}", "--split", "validation"]
    assert main([*ask, "--out", str(tmp_path / "set")]) == 0
    assert [row["question"] for row in read_lines(tmp_path / "set" / "manifest.jsonl")] == ["Which page is 0?"]


def test_a_set_that_was_built_can_be_built_in(built, tmp_path):
    """Ids, sources, votes and boxes are kept: a build whose only source is another build has the same rows."""
    assert main(["data", "build", "--source", f"jsonl={built}", "--out", str(tmp_path / "set")]) == 0
    assert read_lines(tmp_path / "set" / "manifest.jsonl") == read_lines(built / "manifest.jsonl")


def test_another_request_into_the_same_folder_is_an_error(built, sets, tmp_path, capsys):
    before = tree(built)
    assert main(arguments(sets, built, "--split", "validation")) == 2
    assert "choose another --out" in capsys.readouterr().err
    assert tree(built) == before
    (tmp_path / "manifest.jsonl").write_text("{}\n")
    assert main(arguments(sets, tmp_path)) == 2
    assert "not built here" in capsys.readouterr().err


def test_a_source_that_has_changed_is_another_request(tmp_path, capsys):
    file = write_parquet(tmp_path / "a.parquet", [(picture(1), "q?", ["a"])], answers="answer")
    ask = ["data", "build", "--source", f"stvqa={file}", "--out", str(tmp_path / "set")]
    assert main(ask) == 0
    write_parquet(file, [(picture(1), "q?", ["a"]), (picture(2), "q?", ["b"])], answers="answer")
    assert main(ask) == 2
    assert "unchanged files included" in capsys.readouterr().err


def test_a_set_without_a_usable_row_is_an_error(tmp_path, capsys):
    file = write_parquet(tmp_path / "a.parquet", [(picture(1), "", ["a"])], answers="answer")
    assert main(["data", "build", "--source", f"stvqa={file}", "--out", str(tmp_path / "set")]) == 2
    assert "rejected.jsonl says why" in capsys.readouterr().err
    assert [row["reason"] for row in read_lines(tmp_path / "set" / "rejected.jsonl")] == ["no question"]
