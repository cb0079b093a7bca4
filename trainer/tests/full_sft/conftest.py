"""A tiny base and pages with boxes, words and labels, in one folder."""

from __future__ import annotations

import json
from random import Random

import pytest
from PIL import Image, ImageDraw

from cropvlm_trainer.data.seed.evidence import Line
from cropvlm_trainer.data.seed.ocr import text_key, to_text
from cropvlm_trainer.files import to_line
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.prompts import PromptBuilder

PAGES = 6


@pytest.fixture(scope="session")
def builder():
    return PromptBuilder(tiny_tokenizer(), TINY.tokens_per_tile)


@pytest.fixture(scope="session")
def given(tmp_path_factory):
    """`base`, a tiny checkpoint, and `pages`: a dark bar on white, which is the line of the question's answer."""
    out = tmp_path_factory.mktemp("given")
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), out / "base", TRAINING)
    pages = out / "pages"
    (pages / "images").mkdir(parents=True)
    rng, rows, texts = Random(1), [], []
    for number in range(PAGES):
        x, y = rng.randrange(10, 50), rng.randrange(10, 80)
        line = [x, y, x + 30, y + 6]
        page = Image.new("RGB", (120, 200), "white")
        ImageDraw.Draw(page).rectangle([line[0] * 1.2, line[1] * 2, line[2] * 1.2, line[3] * 2], fill="black")
        image = f"images/{number}.png"
        page.save(pages / image)
        row = {"id": f"{number}", "image": image, "answers": ["9.00"], "box": [x - 5, y - 4, x + 35, y + 10]}
        row["seed"] = {"method": "text", "line": line}
        rows.append({**row, "question": "What is the total?"})
        rows.append({**row, "id": f"{number}-l", "question": "What is the cash?", "kind": "label"})
        texts.append(
            {"key": text_key(pages / image), "answer": to_text("rapidocr 0", [Line(tuple(line), "Total: 9.00")])}
        )
    (pages / "seeded.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (pages / "seeded.text.jsonl").write_text("".join(map(to_line, texts)))
    return out
