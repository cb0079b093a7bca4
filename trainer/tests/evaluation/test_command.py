import json

import pytest
from PIL import Image
from support.chat_server import chat_server

from cropvlm_trainer.chat.messages import Prompt
from cropvlm_trainer.cli import main
from cropvlm_trainer.evaluation.answers import Checkpoint
from cropvlm_trainer.evaluation.rows import scored_rows
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.model import Shape, build_model
from cropvlm_trainer.pretrain.train import mini_tokenizer

SHAPE = Shape(
    tile=32, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=1
)


ALONE = ["full image", "full image + true box", "full image + random box"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder, tokenizer = tmp_path_factory.mktemp("checkpoint"), mini_tokenizer()
    save_checkpoint(build_model(SHAPE, tokenizer, 0), SHAPE, tokenizer, folder, {})
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    assert main(["data", "synth", "--n", "3", "--seed", "5", "--questions", "2", "--out", str(folder)]) == 0
    return folder


def scored(data, checkpoint, out, *more: str) -> dict:
    assert main(["eval", "--data", str(data), "--target", str(checkpoint), "--out", str(out), *more]) == 0
    report = json.loads(out.read_text())
    assert list(report) == ["held_out"]
    return report["held_out"]


def test_cropper_and_target_on_three_pages(data, checkpoint, tmp_path, capsys):
    report = scored(data, checkpoint, tmp_path / "new" / "scores.json", "--cropper", str(checkpoint))
    rows = scored_rows(data, None)
    assert (report["pages"], report["questions"], len(rows)) == (3, 6, 6)
    assert list(report["exact_match"]) == [*ALONE, "full image + cropper", "cropper's crop alone"]
    kinds = ["all", *sorted({row["kind"] for row in rows})]
    for scores in report["exact_match"].values():
        assert list(scores) == kinds
        assert set(scores.values()) == {0.0}, "random weights read nothing"
    assert set(report["boxes"]) == {"iou", "recall", "full_recall", "size", "valid"}
    assert (report["boxes"]["valid"], report["boxes"]["size"], report["boxes"]["recall"]) == (0, 1, 1)
    assert report["cropper"] == {"no_valid_box": 6, "size": 1}
    printed = capsys.readouterr().out
    assert "| full image + cropper | 0.0 |" in printed
    assert (tmp_path / "new" / "scores.md").read_text() == printed[printed.index("| exact match") :]


@pytest.mark.parametrize("method", ["rel-att", "grad-att"])
def test_boxes_from_where_the_target_looks(method, data, checkpoint, tmp_path):
    report = scored(data, checkpoint, tmp_path / "scores.json", "--cropper", method, "--cropper-resolution", "64")
    assert list(report["exact_match"]) == [*ALONE, "full image + cropper", "cropper's crop alone"]
    assert report["cropper"]["no_valid_box"] == 0 and 0.01 < report["cropper"]["size"] < 0.5
    assert report["options"]["cropper"] == method
    other = scored(
        data,
        checkpoint,
        tmp_path / "other.json",
        *("--cropper", method, "--attention-checkpoint", str(checkpoint), "--attention-layers", "0", "--cropper-only"),
    )
    assert other["options"]["attention_layers"] == [0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--attention-layers", "0"], "--attention-layers is for --cropper rel-att and grad-att; leave it out"),
        (["--cropper", "rel-att", "--attention-layers", "1"], "attention layers [1]: give different ones of 0 to 0"),
    ],
)
def test_options_of_attention_that_contradict(options, message, data, checkpoint, capsys):
    assert main(["eval", "--data", str(data), "--target", str(checkpoint), *options]) == 2
    assert message in capsys.readouterr().err


def test_attention_of_an_endpoint_needs_a_checkpoint(data, capsys):
    endpoint = ["--target-url", "http://localhost:1/v1", "--target-model", "m"]
    assert main(["eval", "--data", str(data), *endpoint, "--cropper", "rel-att"]) == 2
    assert "looks into a checkpoint; name one with --attention-checkpoint" in capsys.readouterr().err


def test_a_target_alone_and_the_first_rows_alone(data, checkpoint, tmp_path):
    report = scored(data, checkpoint, tmp_path / "scores.json", "--limit", "1")
    assert (report["pages"], report["questions"], report["boxes"]) == (1, 1, {})
    assert list(report["exact_match"]) == ALONE


def test_a_base_is_asked_in_other_words_and_its_boxes_grow(data, checkpoint, tmp_path, monkeypatch):
    asked, answer = [], Checkpoint.answer

    def answered(self, prompts, name):
        asked.extend(prompt.text for prompt in prompts if name == "boxes")
        return [" [50, 50, 51, 51]."] * len(prompts) if name == "boxes" else answer(self, prompts, name)

    monkeypatch.setattr(Checkpoint, "answer", answered)
    more = ["--limit", "1", "--cropper-request", "Where?", "--cropper-margin", "--whole-page"]
    report = scored(data, checkpoint, tmp_path / "scores.json", "--cropper", str(checkpoint), *more)
    assert asked == [f"{scored_rows(data, 1)[0]['question'].capitalize()}\nWhere?"]
    names = ["full image + whole page", "full image + cropper", "cropper's crop alone"]
    assert list(report["exact_match"]) == [*ALONE, *names, "full image + cropper with margin"]
    assert report["options"]["cropper_request"] == "Where?"
    assert report["cropper"]["size"] == 0.0001, "that of the boxes as they are"
    asked.clear()
    more = ["--limit", "1", "--cropper-request", "", "--cropper-only"]
    scored(data, checkpoint, tmp_path / "bare.json", "--cropper", str(checkpoint), *more)
    assert asked == [f"{scored_rows(data, 1)[0]['question'].capitalize()}\n"], "the question alone"


def test_crops_alone_at_more_tiles_and_expanded_boxes(data, checkpoint, tmp_path):
    more = ["--limit", "2", "--crops-alone", "--expand", "0.5", "2", "--target-resolution", "64"]
    report = scored(data, checkpoint, tmp_path / "scores.json", *more)
    names = ["true box", "random box", "own box x 0.5", "own box x 2"]
    pairs = [[f"full image + {name}", f"{name}'s crop alone"] for name in names]
    assert list(report["exact_match"]) == ["full image", *sum(pairs, [])]
    assert report["options"]["target_resolution"] == 64
    assert Image.open(tmp_path / "scores.expand.png").size == (900, 600)


def test_a_checkpoint_sees_as_many_tiles_as_it_is_told(checkpoint):
    picture = Image.new("RGB", (64, 40), "red")
    for edge, tiles in ((None, 1), (32, 1), (64, 5), (96, 7)):
        model = Checkpoint(checkpoint, edge, 2)
        seen = []
        model.model.model.vision_model.register_forward_hook(lambda _, __, out, seen=seen: seen.append(len(out[0])))
        assert len(model.answer([Prompt("What?", lambda: [picture])], "x")) == 1
        assert seen == [tiles]
    for edge, message in ((40, "40 must be a multiple of the model's tiles, 32 pixels"), (7 * 32, "names up to 192")):
        with pytest.raises(ValueError, match=message):
            Checkpoint(checkpoint, edge, 2)


def test_an_endpoint_on_rows_without_boxes_and_again_for_nothing(data, checkpoint, tmp_path, capsys):
    plain = tmp_path / "plain"
    (plain / "images").mkdir(parents=True)
    rows = scored_rows(data, 2)
    rows[1]["source"] = "docvqa"
    for row in rows:
        Image.open(data / row["image"]).save(plain / row["image"])
    lines = [json.dumps({key: value for key, value in row.items() if key != "box"}) for row in rows]
    (plain / "manifest.jsonl").write_text("\n".join(lines))
    out = tmp_path / "scores.json"
    with chat_server(lambda text, _: rows[0]["answers"][0] + ".") as server:
        command = ["eval", "--data", str(plain), "--target-url", server.url, "--target-model", "m", "--out", str(out)]
        command += ["--cropper", str(checkpoint), "--cropper-resolution", "64", "--target-resolution", "50"]
        assert main(command) == 0
        asked = len(server.requests)
        first = json.loads(out.read_text())
        out.unlink()
        assert main(command) == 0
        assert (len(server.requests), json.loads(out.read_text())) == (asked, first)
    report = first["held_out"]
    assert list(report["exact_match"]) == ["full image", "full image + cropper", "cropper's crop alone"]
    assert report["own_measure"]["full image"]["no source"] == 1
    assert report["boxes"] == {}
    assert report["notes"][0] == "2 of 2 rows have no box: no rows for true and random boxes and no box measures"
    assert "Note: 2 of 2 rows have no box" in capsys.readouterr().out
    question = rows[0]["question"].capitalize()
    assert f"{question}\nGive a very brief answer." in server.texts()


def test_a_folder_without_a_checkpoint_is_not_looked_up_on_the_hub(data, tmp_path, capsys):
    assert main(["eval", "--data", str(data), "--target", str(tmp_path / "runs")]) == 2
    assert "runs holds no config.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give either --target, a checkpoint, or --target-url"),
        (["--target", "a", "--target-url", "http://b/v1"], "give either --target"),
        (["--target-url", "http://b/v1"], "--target-url needs --target-model"),
        (["--target", "a", "--target-key-env", "KEY"], "--target-key-env is for --target-url"),
        (["--target-url", "http://b/v1", "--target-model", "m", "--target-key-env", "NO_KEY"], "has no NO_KEY; set it"),
        (["--target", "a", "--cropper-resolution", "512"], "--cropper-resolution needs --cropper"),
        (["--target", "a", "--cropper-margin"], "--cropper-margin needs --cropper"),
        (["--target", "a", "--cropper", "rel-att", "--cropper-request", "x"], "--cropper-request needs --cropper, the"),
        (["--target", "a", "--expand", "2"], "beside --out; give --out"),
        (["--target", "a", "--max-tokens", "0"], "--max-tokens must be above 0"),
        (["--target", "a", "--out", "scores.md"], "is for JSON"),
    ],
)
def test_options_that_contradict_each_other(data, capsys, options, message):
    assert main(["eval", "--data", str(data), *options]) == 2
    assert message in capsys.readouterr().err
