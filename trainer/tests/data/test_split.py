import json
from random import Random

import pytest

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.split import divide, parts_by


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


def test_a_file_for_each_part_that_the_rows_name(tmp_path, capsys):
    rows = [{**row, "part": "dev" if row["image"].endswith("3.png") else "train"} for row in make_rows()]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["data", "split", "--data", str(tmp_path), "--by", "part"]) == 0
    said = capsys.readouterr().out
    for part in ("train", "dev"):
        of_it = [row for row in rows if row["part"] == part]
        assert [json.loads(line) for line in (tmp_path / f"{part}.jsonl").read_text().splitlines()] == of_it
        assert f"{part}.jsonl: {len(of_it)} questions on {len(pictures(of_it))} images" in said
    (tmp_path / "dev.jsonl").write_text("")
    assert main(["data", "split", "--data", str(tmp_path), "--by", "part"]) == 2
    assert "dev.jsonl holds another split; remove" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (["a", None], "row 2 has None as its 'part'"),
        (["a", "../b"], "row 2 has '../b' as its 'part'"),
        (["a", 3], "row 2 has 3 as its 'part'"),
        (["a", "a"], "all rows have the 'part' 'a'"),
    ],
)
def test_a_field_that_names_no_parts_is_an_error(parts, says):
    rows = [{"image": str(number), "part": part} for number, part in enumerate(parts)]
    with pytest.raises(ValueError, match=says.replace(".", r"\.")):
        parts_by(rows, "part")


def test_an_image_in_two_parts_is_an_error():
    with pytest.raises(ValueError, match=r"one\.png is in the parts a and b \(row 2\)"):
        parts_by([{"image": "one.png", "part": "a"}, {"image": "one.png", "part": "b"}], "part")


def test_either_a_seed_or_a_field(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["data", "split", "--data", str(tmp_path)])
    assert "one of the arguments --seed --by is required" in capsys.readouterr().err
    assert main(["data", "split", "--data", str(tmp_path), "--by", "part", "--share", "0.3"]) == 2
    assert "--share is for two halves by --seed; leave it out beside --by" in capsys.readouterr().err
