import json
from hashlib import sha256

import pytest

from cropvlm_trainer.cli import main
from cropvlm_trainer.data import synth
from cropvlm_trainer.data.regions import taught_region, to_box
from cropvlm_trainer.measures import contains, recall
from cropvlm_trainer.sft import crowd


@pytest.mark.parametrize("kind", synth.KINDS)
def test_questions_are_unambiguous_and_their_evidence_is_on_the_page(kind):
    for index in range(30):
        page, _ = synth.make_page(3, index, [kind])
        texts = [question.text for question in page.questions]
        assert len(set(texts)) == len(texts)
        assert set(texts) <= set(synth.all_questions())
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
        page, _ = synth.make_page(4, index)
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


def test_a_sparse_page_keeps_a_share_of_its_shapes_and_a_full_one_all():
    for index in range(20):
        full, _ = synth.make_page(5, index, ["shapes"])
        sparse, _ = synth.make_page(5, index, ["shapes"], crowd=0.4)
        assert 4 <= len(full.questions) <= 8
        assert len(sparse.questions) == max(2, round(len(full.questions) * 0.4))
        assert {q.text for q in sparse.questions} <= {q.text for q in full.questions}


def test_pages_fill_up_as_the_cropper_learns():
    shares = [crowd(step, 1000) for step in (0, 720, 810, 900, 999)]
    assert shares == pytest.approx([0.4, 0.4, 0.7, 1.0, 1.0])
