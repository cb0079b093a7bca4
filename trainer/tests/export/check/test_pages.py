"""The pages on which precisions are compared, where they are of a data set."""

import json
from pathlib import Path

import pytest

from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.export.check.pages import of_data
from cropvlm_trainer.export.export import export
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.rows import read_rows


def test_pages_of_a_data_set(checkpoint: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    dataset.write(data, 5, 3)
    manifest = data / "manifest.jsonl"
    asked = list(of_data(manifest, 2, "cropper")())
    rows = read_rows(manifest)
    assert [page.question for page in asked] == [rows[0]["question"], rows[2]["question"]]
    assert asked[1].image.tobytes() == open_picture(data / rows[2]["image"]).tobytes()
    options = {"model_id": "x", "precisions": ("int8",), "parity_prompts": 1, "floor": 0.0}
    made = export(checkpoint, tmp_path / "out", role="cropper", **options, parity_pages=9, parity_data=manifest)
    assert made["scores"]["parity"]["int8"]["boxes"] == 5
    manifest.write_text("".join(json.dumps({**row, "box": None}) + "\n" for row in rows))
    with pytest.raises(ValueError, match="box"):
        export(checkpoint, tmp_path / "out2", role="target", **options, parity_data=manifest)
    with pytest.raises(FileNotFoundError, match=r"none\.jsonl"):
        export(checkpoint, tmp_path / "out2", role="cropper", **options, parity_data=tmp_path / "none.jsonl")
    with pytest.raises(ValueError, match="with --parity-pages 0 no page of --parity-data"):
        export(checkpoint, tmp_path / "out2", role="cropper", **options, parity_pages=0, parity_data=manifest)
    assert not (tmp_path / "out2").exists()
