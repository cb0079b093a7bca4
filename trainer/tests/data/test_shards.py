"""Shards of a search for seed boxes, and what `data merge` says of those that lack."""

from __future__ import annotations

import json

import pytest

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.shards import parse_shard, shard_rows


def seed(folder, out: str, *more: str) -> list[str]:
    pages = folder / "pages"
    paths = ["--manifest", str(pages / "manifest.jsonl"), "--out", str(pages / out), "--base", str(folder / "base")]
    return ["data", "seed", "--method", "grid", *paths, "--n", "2", *more]


def merge(folder, out: str, *parts: str) -> list[str]:
    pages = folder / "pages"
    paths = ["--manifest", str(pages / "manifest.jsonl"), "--out", str(pages / out)]
    return ["data", "merge", *paths, "--parts", *(str(pages / part) for part in parts)]


@pytest.fixture(scope="module")
def shards(folder):
    """The folder with `whole.jsonl`, and with the same in two parts: of two pages and of one."""
    assert main(seed(folder, "whole.jsonl")) == 0
    for number in (1, 2):
        assert main(seed(folder, f"part{number}.jsonl", "--shard", f"{number}/2")) == 0
    return folder


def test_shards_put_together_are_the_whole(shards):
    pages = shards / "pages"
    counts = [len((pages / f"part{number}.jsonl").read_text().splitlines()) for number in (1, 2)]
    assert counts == [4, 2], "two questions a page"
    assert main(merge(shards, "merged.jsonl", "part2.jsonl", "part1.jsonl")) == 0
    assert (pages / "merged.jsonl").read_bytes() == (pages / "whole.jsonl").read_bytes()


def test_what_is_missing_is_named(shards, capsys):
    assert main(merge(shards, "some.jsonl", "part1.jsonl")) == 2
    assert "2 rows of " in (error := capsys.readouterr().err) and "are in none of the 1 parts, as synth-5-" in error
    assert not (shards / "pages" / "some.jsonl").exists()


def test_rows_that_were_rejected_may_lack(shards):
    pages = shards / "pages"
    first, *others = (pages / "part2.jsonl").read_text().splitlines(keepends=True)
    (pages / "fewer.jsonl").write_text("".join(others))
    (pages / "fewer.rejected.jsonl").write_text(json.dumps({"id": json.loads(first)["id"]}) + "\n")
    assert main(merge(shards, "rejected.jsonl", "part1.jsonl", "fewer.jsonl")) == 0
    assert len((pages / "rejected.jsonl").read_text().splitlines()) == 5


def test_wrong_parts_are_named(shards, capsys):
    assert main(merge(shards, "x.jsonl", "part1.jsonl", "part1.jsonl")) == 2
    assert "part1.jsonl has the row synth-5-" in capsys.readouterr().err
    row = json.loads((shards / "pages" / "part1.jsonl").read_text().splitlines()[0]) | {"id": "stranger"}
    (shards / "pages" / "other.jsonl").write_text(json.dumps(row) + "\n")
    assert main(merge(shards, "x.jsonl", "part1.jsonl", "part2.jsonl", "other.jsonl")) == 2
    assert "1 rows of the parts are not in " in (error := capsys.readouterr().err) and "as stranger" in error


def test_all_rows_of_an_image_are_in_one_shard():
    rows = [{"image": image, "n": n} for n, image in enumerate("abcabda")]
    shards = [shard_rows(rows, (number, 3)) for number in (1, 2, 3)]
    assert [[row["n"] for row in some] for some in shards] == [[0, 3, 5, 6], [1, 4], [2]]
    with pytest.raises(ValueError, match="--shard 5/5 has no image"):
        shard_rows(rows, (5, 5))


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/", "a/b", "1/2/3", "-1/2"])
def test_what_is_no_shard(text):
    with pytest.raises(ValueError, match="--shard .*: give the shard's number and how many there are, as 1/4"):
        parse_shard(text)


def test_a_shard_of_a_big_vlms_boxes_is_not_grown(shards, capsys):
    paths = ["--manifest", str(shards / "pages/manifest.jsonl"), "--out", str(shards / "pages/vlm.jsonl")]
    asked = ["data", "seed", "--method", "vlm", *paths, "--url", "http://127.0.0.1:9/v1", "--model", "big"]
    assert main([*asked, "--shard", "1/2"]) == 2
    assert "--shard needs --grow none" in capsys.readouterr().err
