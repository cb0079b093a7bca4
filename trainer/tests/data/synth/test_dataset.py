import json
from hashlib import sha256

import pytest

from cropvlm_trainer.boxes import taught_region, to_box
from cropvlm_trainer.cli import main
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.metrics.exact_and_iou import contains, recall


@pytest.mark.parametrize("kind", dataset.KINDS)
def test_questions_are_unambiguous_and_their_evidence_is_on_the_page(kind):
    for index in range(30):
        page, _ = dataset.make_page(3, index, [kind])
        texts = [question.text for question in page.questions]
        assert len(set(texts)) == len(texts)
        assert set(texts) <= set(dataset.all_questions())
        for question in page.questions:
            answer, evidence = page.to_percent(question.answer_rect), page.to_percent(question.evidence_rect)
            assert contains((0, 0, 100, 100), evidence), (index, question)
            assert recall(evidence, answer) > 0.99
            region = taught_region(evidence)
            assert contains((0, 0, 100, 100), region) and recall(region, evidence) == pytest.approx(1)
            x1, y1, x2, y2 = to_box(region)
            assert 0 <= x1 < x2 <= 100 and 0 <= y1 < y2 <= 100


def test_answers_are_too_small_to_read_on_the_whole_page():
    for index in range(60):
        page, _ = dataset.make_page(4, index)
        for question in page.questions:
            _, top, _, bottom = page.to_percent(question.answer_rect)
            assert (bottom - top) * 96 / 100 < 4, "glyphs must be under four pixels high on a 96-pixel page"


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    def digest(name, seed):
        assert main(["data", "synth", "--n", "6", "--seed", str(seed), "--out", str(tmp_path / name)]) == 0
        files = sorted((tmp_path / name).rglob("*.*"))
        return sha256(b"".join(f.read_bytes() for f in files if f.is_file())).hexdigest()

    assert digest("a", 7) == digest("b", 7) != digest("c", 8)
    rows = [json.loads(line) for line in (tmp_path / "a" / "manifest.jsonl").read_text().splitlines()]
    assert len(rows) == 6
    assert set(rows[0]) == {"id", "kind", "image", "question", "answers", "box"}


def test_an_existing_set_is_not_overwritten(tmp_path, capsys):
    (tmp_path / "manifest.jsonl").write_text("")
    assert main(["data", "synth", "--n", "1", "--out", str(tmp_path)]) == 2
    assert "already exists" in capsys.readouterr().err


def test_a_page_of_few_shapes_keeps_the_first_of_them():
    for index in range(20):
        full, _ = dataset.make_page(5, index, ["shapes"])
        sparse, _ = dataset.make_page(5, index, ["shapes"], max_shapes=2)
        assert 4 <= len(full.questions) <= 8
        assert len(sparse.questions) == 2
        assert {q.text for q in sparse.questions} <= {q.text for q in full.questions}


def test_questions_say_their_names():
    for kind in dataset.KINDS:
        page, _ = dataset.make_page(6, 0, [kind])
        for question in page.questions:
            assert all(name in question.text for name in question.names), question
            assert question.looks == (kind == "shapes")
