"""Shards of seed boxes put together, and what `data merge` says of those that lack."""

from __future__ import annotations

import json

import pytest
from support.lines import read_lines
from support.runs.run import setting_options

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.seed import ocr, text
from cropvlm_trainer.data.seed.evidence import Line
from cropvlm_trainer.data.seed.ocr import to_text
from cropvlm_trainer.data.shards import parse_shard, shard_rows

TOTAL, TABLE, TILL = (
    Line((10.0, y, 50.0, y + 4), said) for y, said in ((20.0, "Total: 7"), (40.0, "Table: 3"), (60.0, "Till: 5"))
)


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


def test_a_shard_may_have_no_row_with_a_box(folder, capsys):
    pages = folder / "pages"
    rows = read_lines(pages / "manifest.jsonl")
    for row in rows:
        row["answers"] = ["7" if row["image"] == rows[0]["image"] else "unread"]
    (pages / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    parts = ["seen.jsonl", "unseen.jsonl"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ocr, "PACKAGE", "pytest")
        patch.setattr(text, "_texts", lambda _, asked, __: [(image, to_text("an ocr", [TOTAL])) for image in asked])
        for number, part in enumerate(parts, start=1):
            assert main([*text_seed(pages, part)[:-2], "--shard", f"{number}/2"]) == 0
        assert "WARNING: no row got a box" in capsys.readouterr().err
        assert (pages / "unseen.jsonl").read_text() == ""
        assert main(merge_read(folder, "some-seen.jsonl", *parts)) == 0
        assert len(read_lines(pages / "some-seen.jsonl")) == 2
        (pages / "unseen.rejected.jsonl").write_text("".join(json.dumps({"id": row["id"]}) + "\n" for row in rows))
        assert main(merge_read(folder, "none-seen.jsonl", "unseen.jsonl")) == 2
        assert "has a row with a box; there is nothing to merge" in capsys.readouterr().err
        (pages / "unseen.jsonl").unlink()
        assert main(text_seed(pages, "unseen.jsonl")[:-2]) == 0
        assert main(text_seed(pages, "unseen.jsonl")[:-2]) == 2
        kept = "unseen.jsonl already exists; choose another --out or remove it (not unseen.text.jsonl: what is in there"
        assert kept in capsys.readouterr().err


def test_wrong_parts_are_named(shards, capsys):
    assert main(merge(shards, "x.jsonl", "part1.jsonl", "part1.jsonl")) == 2
    assert "part1.jsonl has the row synth-5-" in capsys.readouterr().err
    row = json.loads((shards / "pages" / "part1.jsonl").read_text().splitlines()[0]) | {"id": "stranger"}
    (shards / "pages" / "other.jsonl").write_text(json.dumps(row) + "\n")
    assert main(merge(shards, "x.jsonl", "part1.jsonl", "part2.jsonl", "other.jsonl")) == 2
    assert "1 rows of the parts are not in " in (error := capsys.readouterr().err) and "as stranger" in error


@pytest.fixture(scope="module")
def read(folder):
    """The folder with seeds by text of five questions about three pages, with what an OCR could have read there.

    `text.jsonl` is by one run, `text1.jsonl` and `text2.jsonl` are its shards: pages 0 and 2, and page 1. The rows of
    page 0 are not next to each other; its second answer is not in the text, and page 1 has no label of its own.
    """
    pages = folder / "pages"
    images = list(dict.fromkeys(row["image"] for row in read_lines(pages / "manifest.jsonl")))
    asked = [(1, "7"), (0, "7"), (2, "5"), (0, "unread"), (1, "7")]
    rows = [
        {"id": f"q{n}", "image": images[page], "question": f"What is it, {n}?", "answers": [answer]}
        for n, (page, answer) in enumerate(asked)
    ]
    (pages / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = {images[0]: [TOTAL, TABLE], images[1]: [TOTAL], images[2]: [TILL, TABLE, TOTAL]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ocr, "PACKAGE", "pytest")
        patch.setattr(
            text, "_texts", lambda _, asked, __: [(image, to_text("an ocr", lines[image])) for image in asked]
        )
        assert main(text_seed(pages, "text.jsonl")) == 0
        assert main(text_seed(pages, "text1.jsonl", "--shard", "1/2")) == 0
        assert main(text_seed(pages, "text2.jsonl", "--shard", "2/2")) == 0
    return folder


def text_seed(pages, out: str, *more: str) -> list[str]:
    paths = ["--manifest", str(pages / "asked.jsonl"), "--out", str(pages / out)]
    return ["data", "seed", "--method", "text", *paths, "--labels", "2", *more]


def merge_read(folder, out: str, *parts: str) -> list[str]:
    return [word.replace("manifest.jsonl", "asked.jsonl") for word in merge(folder, out, *parts)]


def test_rows_about_labels_are_merged_as_one_run_writes_them(read, capsys):
    pages = read / "pages"
    assert [row["id"] for row in read_lines(pages / "text.jsonl")][:4] == ["q0", "q1", "q2", "q4"]
    assert main(merge_read(read, "text-merged.jsonl", "text2.jsonl", "text1.jsonl")) == 0
    assert (pages / "text-merged.jsonl").read_bytes() == (pages / "text.jsonl").read_bytes()
    assert "4 of 5 rows have a box, and 5 about labels" in capsys.readouterr().out


def test_full_sft_trains_on_merged_seeds(read, tmp_path):
    pages = read / "pages"
    assert main(merge_read(read, "trained.jsonl", "text1.jsonl", "text2.jsonl")) == 0
    assert sorted(read_lines(pages / "trained.text.jsonl"), key=str) == sorted(
        read_lines(pages / "text.text.jsonl"), key=str
    )
    keys = {"base": read / "base", "data": pages / "trained.jsonl", "texts": pages / "trained.text.jsonl"}
    keys |= {"out": tmp_path, "tile": 64, "patch": 16, "steps": 1, "batch": 3, "warmup": 1}
    assert main(["full-sft", *setting_options(keys)]) == 0
    assert (tmp_path / "checkpoint/config.json").exists()


def test_a_part_whose_texts_lack_is_named(read, capsys):
    pages = read / "pages"
    for kind in ("jsonl", "rejected.jsonl"):
        (pages / f"moved.{kind}").write_bytes((pages / f"text1.{kind}").read_bytes())
    assert main(merge_read(read, "y.jsonl", "moved.jsonl", "text2.jsonl")) == 2
    assert "moved.text.jsonl is not there, though other parts" in capsys.readouterr().err
    assert not (pages / "y.jsonl").exists()


@pytest.mark.parametrize("change", [{"image": "images/other.png"}, {"id": "drawn-1"}, {"kind": "total"}])
def test_a_row_that_only_looks_like_one_about_a_label_is_a_stranger(read, capsys, change):
    pages = read / "pages"
    *rows, last = read_lines(pages / "text1.jsonl")
    assert last["kind"] == "label"
    (pages / "odd.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, last | change]))
    (pages / "odd.rejected.jsonl").write_bytes((pages / "text1.rejected.jsonl").read_bytes())
    (pages / "odd.text.jsonl").write_bytes((pages / "text1.text.jsonl").read_bytes())
    assert main(merge_read(read, "y.jsonl", "odd.jsonl", "text2.jsonl")) == 2
    assert "1 rows of the parts are not in " in capsys.readouterr().err


def test_rows_that_lack_beside_rows_about_labels_are_named(read, capsys):
    assert main(merge_read(read, "y.jsonl", "text1.jsonl")) == 2
    assert "are in none of the 1 parts, as q" in capsys.readouterr().err


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


def test_a_shard_of_a_big_vlms_boxes_is_not_grown(folder, capsys):
    paths = ["--manifest", str(folder / "pages/manifest.jsonl"), "--out", str(folder / "pages/vlm.jsonl")]
    asked = ["data", "seed", "--method", "vlm", *paths, "--url", "http://127.0.0.1:9/v1", "--model", "big"]
    assert main([*asked, "--shard", "1/2"]) == 2
    assert "--shard needs --grow none" in capsys.readouterr().err
