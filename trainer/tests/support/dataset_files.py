"""Small parquet files in the columns of the public data sets, with images as the hub stores them."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from pathlib import Path

from datasets import Dataset, Features, Image, Sequence, Value
from PIL import Image as Pillow

TEN = ["stop"] * 6 + ["Stop", "", "halt", "halt"]
README = """---
configs:
- config_name: DocVQA
  data_files:
  - split: validation
    path: DocVQA/validation-*
- config_name: InfographicVQA
  data_files:
  - split: validation
    path: InfographicVQA/validation-*
---
"""
"""The card of lmms-lab/DocVQA, which lists no train files although the repository has them."""


def picture(number: int, kind: str = "JPEG") -> bytes:
    data = BytesIO()
    Pillow.new("RGB", (24, 16), (number * 9 % 256, number * 31 % 256, 40)).save(data, kind)
    return data.getvalue()


def image_path(data: bytes, suffix: str = "jpg") -> str:
    digest = sha256(data).hexdigest()
    return f"images/{digest[:2]}/{digest}.{suffix}"


def write_parquet(path: Path, rows: list[tuple], answers: str = "answers", source_id: Value | None = None) -> Path:
    """Writes rows of (image bytes or None, question, answers); `source_id` is the type of the questions' ids."""
    name = "question_id" if source_id and source_id.dtype == "int32" else "questionId"
    features = {
        "question": Value("string"),
        "image": Image(),
        answers: Sequence(Value("string")),
        "ocr": Value("string"),
    }
    columns = {
        "question": [question for _, question, _ in rows],
        "image": [{"bytes": data, "path": f"{n}.jpg"} if data else None for n, (data, _, _) in enumerate(rows)],
        answers: [texts for _, _, texts in rows],
        "ocr": ["long text that no one asks for"] * len(rows),
    }
    if source_id:
        features[name] = source_id
        numbers = range(700, 700 + len(rows))
        columns[name] = list(numbers) if name == "question_id" else [str(number) for number in numbers]
    path.parent.mkdir(parents=True, exist_ok=True)
    # Row groups have three rows, so that a build must also go on from within a group.
    Dataset.from_dict(columns, features=Features(features)).to_parquet(path, batch_size=3)
    return path


def write_textvqa(folder: Path) -> Path:
    rows = [(picture(n // 2), f"what is number {n}?", [f"{n}"] * 9 + ["other"]) for n in range(8)]
    rows[0] = (picture(0), "what does it say?", TEN)
    rows[5] = (picture(0), "What does it SAY?", ["stop"] * 9 + ["end"])
    write_parquet(folder / "data" / "train-00000-of-00002.parquet", rows[:5], source_id=Value("int32"))
    write_parquet(folder / "data" / "train-00001-of-00002.parquet", rows[5:], source_id=Value("int32"))
    write_parquet(folder / "data" / "validation-00000-of-00001.parquet", rows[:1], source_id=Value("int32"))
    return folder


def write_docvqa(folder: Path) -> Path:
    """Writes a folder like the hub's repository that has two data sets."""
    doc = [(picture(20 + n, "PNG"), f"Which page is {n}?", [f"{n}", "page"]) for n in range(4)]
    info = [(picture(30 + n), f"How many of {n}?", [f"{n}"]) for n in range(3)]
    write_parquet(folder / "DocVQA" / "train-00000-of-00001.parquet", doc, source_id=Value("string"))
    write_parquet(folder / "DocVQA" / "validation-00000-of-00001.parquet", doc[:1], source_id=Value("string"))
    write_parquet(folder / "InfographicVQA" / "train-00000-of-00001.parquet", info, source_id=Value("string"))
    write_parquet(folder / "InfographicVQA" / "validation-00000-of-00001.parquet", info[:1], source_id=Value("string"))
    (folder / "README.md").write_text(README)
    return folder


def write_stvqa(path: Path) -> Path:
    rows = [
        (picture(40), "Where to?", ["north", "North"]),
        (picture(41), "  ", ["x"]),
        (picture(41), "Who?", []),
        (picture(41)[:-150], "What?", ["x"]),
        (None, "When?", ["x"]),
        (picture(20, "PNG"), "which page is 0?", ["zero"]),
        (picture(42, "GIF"), "How?", ["so"]),
    ]
    return write_parquet(path, rows, answers="answer")
