import pytest
from support.dataset_files import picture, write_docvqa, write_parquet, write_textvqa

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.readers import DatasetReader, OwnReader
from cropvlm_trainer.data.sources import Source, parse_sources


def test_a_name_alone_means_its_set_on_the_hub():
    assert parse_sources(["textvqa", "docvqa", "infographicvqa", "stvqa"]) == [
        Source("textvqa", "lmms-lab/textvqa", None, None, None),
        Source("docvqa", "lmms-lab/DocVQA", "DocVQA", "DocVQA", None),
        Source("infographicvqa", "lmms-lab/DocVQA", "InfographicVQA", "InfographicVQA", None),
        Source("stvqa", "danjacobellis/stvqa_task1", None, None, None),
    ]


def test_another_repository_may_name_a_config():
    assert parse_sources(["docvqa=someone/pages:small", "stvqa=someone/signs"]) == [
        Source("docvqa", "someone/pages", "small", None, None),
        Source("stvqa", "someone/signs", None, None, None),
    ]
    assert parse_sources(["docvqa=lmms-lab/DocVQA"]) == parse_sources(["docvqa"])


def test_local_files_are_told_by_their_names_and_sizes(tmp_path):
    write_docvqa(tmp_path / "doc")
    file = write_parquet(tmp_path / "st.parquet", [(picture(1), "q?", ["a"])], answers="answer")
    doc, signs = parse_sources([f"docvqa={tmp_path / 'doc'}", f"stvqa={file}"])
    assert doc.folder == "DocVQA" and doc.config is None and doc.local
    name = "InfographicVQA/train-00000-of-00001.parquet"
    assert doc.files[name] == (tmp_path / "doc" / name).stat().st_size
    assert (signs.folder, signs.files) == (None, {"st.parquet": file.stat().st_size})


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["textcaps"], "textcaps is not known; give textvqa, docvqa"),
        (["stvqa=./nowhere"], "there is no ./nowhere"),
        (["stvqa=data/train/st.parquet"], "there is no data/train/st.parquet"),
        (["jsonl"], "give the path of a manifest"),
        (["docvqa", "docvqa=someone/pages"], "given twice"),
    ],
)
def test_a_source_that_cannot_be_is_said_with_the_remedy(texts, message, tmp_path, capsys):
    assert main(["data", "build", "--source", *texts, "--out", str(tmp_path / "set")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_folders_without_the_files_are_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no parquet files"):
        parse_sources([f"docvqa={tmp_path}"])
    with pytest.raises(FileNotFoundError, match=r"no manifest\.jsonl"):
        parse_sources([f"jsonl={tmp_path}"])


def test_a_split_or_a_column_that_is_not_there_is_said(tmp_path):
    write_textvqa(tmp_path / "text")
    (source,) = parse_sources([f"textvqa={tmp_path / 'text'}"])
    with pytest.raises(ValueError, match="split test of .* cannot be opened .*check --split"):
        DatasetReader(source, "test", None)
    (other,) = parse_sources([f"stvqa={tmp_path / 'text'}"])
    with pytest.raises(ValueError, match="has no column answer "):
        DatasetReader(other, "train", None)


def test_a_reader_goes_on_from_any_row(tmp_path):
    write_textvqa(tmp_path / "text")
    (source,) = parse_sources([f"textvqa={tmp_path / 'text'}"])
    whole = list(DatasetReader(source, "train", None).rows(0, None))
    assert [(raw.row, raw.source_id) for raw in whole] == [
        *[(n, 700 + n) for n in range(5)],
        *[(5 + n, 700 + n) for n in range(3)],
    ]
    for taken in range(1, 9):
        reader = DatasetReader(source, "train", None)
        rows = reader.rows(0, None)
        for _ in range(taken):
            next(rows)
        state = reader.state()
        rows.close()
        assert list(DatasetReader(source, "train", None).rows(taken, state)) == whole[taken:]


def test_own_rows_tell_their_source(tmp_path):
    lines = [
        '{"id": "synth-0-000000-0", "image": "gone.png", "question": "q", "answers": ["a"]}',
        '{"id": "7", "source": "vstar", "options": ["a", "b"], "image": "gone.png"}',
        '{"image": "gone.png", "source_id": 3}',
    ]
    (tmp_path / "manifest.jsonl").write_text("\n".join(lines))
    (source,) = parse_sources([f"jsonl={tmp_path}"])
    rows = list(OwnReader(source).rows(0, None))
    assert [(raw.source, raw.source_id, raw.image) for raw in rows] == [
        ("synth", "synth-0-000000-0", None),
        ("vstar", "7", None),
        ("jsonl", 3, None),
    ]
    assert rows[1].extra == {"options": ["a", "b"]}
    (tmp_path / "manifest.jsonl").write_text("{}\nnot json\n")
    with pytest.raises(ValueError, match=r"line 2 of .*manifest\.jsonl is not JSON"):
        OwnReader(source)
