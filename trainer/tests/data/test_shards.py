"""Which rows a shard has, and what is no shard."""

from __future__ import annotations

import pytest

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.shards import parse_shard, shard_rows


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
