"""Files that are written whole, and lines of JSON."""

import pytest

from cropvlm_trainer.files import (
    numbered_lines,
    read_json,
    read_lines,
    replacing,
    sha256_of,
    to_lines,
    whole_lines,
    write_json,
    write_whole,
)


def test_a_file_is_replaced_in_one_step_or_not_at_all(tmp_path):
    path = tmp_path / "file.txt"
    write_whole(path, b"old")
    with pytest.raises(RuntimeError), replacing(path) as draft:
        draft.write_bytes(b"ne")
        raise RuntimeError("killed")
    assert path.read_bytes() == b"old"
    with replacing(path) as draft:
        draft.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_may_lie_in_another_folder(tmp_path):
    (tmp_path / "drafts").mkdir()
    with replacing(tmp_path / "file.txt", tmp_path / "drafts") as draft:
        draft.write_bytes(b"new")
        assert [path.parent.name for path in tmp_path.rglob("*.tmp")] == ["drafts"]
    assert (tmp_path / "file.txt").read_bytes() == b"new" and not list((tmp_path / "drafts").iterdir())


def test_json_comes_back_as_it_was_written(tmp_path):
    write_json(tmp_path / "value.json", {"é": [1, None]})
    assert (tmp_path / "value.json").read_text(encoding="utf-8") == '{\n  "é": [\n    1,\n    null\n  ]\n}\n'
    assert read_json(tmp_path / "value.json") == {"é": [1, None]}


def test_lines_of_json_are_split_at_line_breaks_alone(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(to_lines([{"text": "a\u2028b\n"}]) + b"\n \n" + '{"text": "a\u2028b"}'.encode())
    assert read_lines(path) == [{"text": "a\u2028b\n"}, {"text": "a\u2028b"}]
    assert [number for number, _ in numbered_lines(path)] == [1, 4]
    path.write_bytes(b"[]\n\n{")
    with pytest.raises(ValueError, match=r"line 3 of .*rows.jsonl is not JSON .*; mend or remove it"):
        read_lines(path)


@pytest.mark.parametrize(
    ("content", "lines", "left"),
    [("", [], ""), ("to", [], ""), ("a\n", ["a"], "a\n"), ("a\n\nb\nto", ["a", "", "b"], "a\n\nb\n")],
)
def test_a_torn_line_is_removed(tmp_path, content, lines, left):
    path = tmp_path / "log.jsonl"
    assert whole_lines(path) == []
    path.write_text(content)
    assert whole_lines(path) == lines
    assert path.read_text() == left


def test_files_are_told_apart_by_content_and_order(tmp_path):
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_text(path.name)
    first = sha256_of(paths)
    assert len(first) == 64 and sha256_of(paths[::-1]) != first != sha256_of(paths[:1])
    paths[0].rename(tmp_path / "c")
    assert sha256_of([tmp_path / "c", paths[1]]) == first
