import json
from random import Random

import pytest

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.split import divide


def make_rows(images=40):
    rng = Random(5)
    return [
        {"id": f"{image}-{n}", "image": f"images/{image}.png", "question": f"q{n}"}
        for image in range(images)
        for n in range(rng.randint(1, 6))
    ]


def pictures(half):
    return {row["image"] for row in half}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_halves_share_no_image_and_lose_no_row(share):
    rows = make_rows()
    sft, grpo = divide(rows, 3, share)
    assert not pictures(sft) & pictures(grpo)
    assert sorted(row["id"] for row in sft + grpo) == sorted(row["id"] for row in rows)
    assert share * len(rows) <= len(sft) < share * len(rows) + 6


def test_neither_halves_nor_their_order_depend_on_the_order_of_rows():
    rows = make_rows()
    shuffled = rows[:]
    Random(1).shuffle(shuffled)
    assert shuffled != rows
    assert divide(shuffled, 3, 0.5) == divide(rows, 3, 0.5)


def test_the_seed_decides():
    rows = make_rows()
    assert pictures(divide(rows, 3, 0.5)[0]) != pictures(divide(rows, 4, 0.5)[0])


def test_an_image_of_most_questions_stays_whole():
    rows = [{"image": "big", "question": str(n)} for n in range(9)] + [{"image": "small", "question": "q"}]
    for seed in range(8):
        sft, grpo = divide(rows, seed, 0.05)
        assert {len(sft), len(grpo)} == {9, 1}


def test_the_command_writes_both_halves_once(tmp_path, capsys):
    rows = make_rows()
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ask = ["data", "split", "--data", str(tmp_path), "--seed"]
    assert main([*ask, "3"]) == 0
    said = capsys.readouterr().out
    sft, grpo = divide(rows, 3, 0.5)
    for name, half in (("sft", sft), ("grpo", grpo)):
        assert [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()] == half
        assert f"{len(half)} questions on {len(pictures(half))} images" in said
    before = (tmp_path / "sft.jsonl").read_bytes()
    assert main([*ask, "3"]) == 0
    assert main([*ask, "4"]) == 2
    assert "holds another split" in capsys.readouterr().err
    assert (tmp_path / "sft.jsonl").read_bytes() == before


def test_a_split_that_cannot_be_is_an_error(tmp_path, capsys):
    for share in (0, 1, -0.5, 1.5):
        with pytest.raises(ValueError, match="between 0 and 1"):
            divide(make_rows(), 0, share)
    with pytest.raises(ValueError, match="none for GRPO"):
        divide([{"image": "a", "question": "q"}], 0, 0.5)
    ask = ["data", "split", "--data", str(tmp_path), "--seed", "0"]
    assert main(ask) == 2
    assert "data build" in capsys.readouterr().err
    (tmp_path / "manifest.jsonl").write_text('{"image": "a"}\n{"question": "q"}\n')
    assert main(ask) == 2
    assert "manifest.jsonl has no image" in (error := capsys.readouterr().err) and "row 2 of" in error
