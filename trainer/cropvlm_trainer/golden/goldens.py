"""What `cropvlm-train golden` writes: files made with transformers, with which the TypeScript tests compare."""

import json
from pathlib import Path

from cropvlm_trainer.files import read_json
from cropvlm_trainer.golden.attention import attention, attention_boxes
from cropvlm_trainer.golden.boxes import write_boxes
from cropvlm_trainer.golden.contract import contract
from cropvlm_trainer.golden.fixtures.models import save_tiny, tiny_model
from cropvlm_trainer.golden.generate import generate
from cropvlm_trainer.golden.images import grids, pixels
from cropvlm_trainer.golden.measures import measures
from cropvlm_trainer.golden.prompts import prompts
from cropvlm_trainer.golden.settings import PARTS, REAL, REAL_FILES, SEED
from cropvlm_trainer.idefics3.checkpoint import load_processor
from cropvlm_trainer.idefics3.prompts import PromptEncoder


def write_goldens(out: Path, parts: tuple[str, ...] = PARTS, real_files: Path = REAL_FILES, seed: int = SEED) -> None:
    """Writes the `parts` of the goldens: model folders to `out`/models, files of cases to `out`/golden.

    `seed` is that of the models' random weights. `real_files` is the folder with SmolVLM-256M-Instruct's tokenizer.
    """
    golden, tiny = out / "golden", out / "models" / "tiny"
    golden.mkdir(parents=True, exist_ok=True)
    if "contract" in parts:
        write_golden(golden / "contract.json", contract())
    if "measures" in parts:
        write_golden(golden / "measures.json", measures())
    if "attention" in parts:
        write_golden(golden / "attention.json", attention())
    if "models" in parts:
        save_tiny(out / "models", seed)
    if "grids" in parts:
        write_golden(golden / "grids.json", grids())
    if "pixels" in parts:
        write_golden(golden / "pixels.json", pixels(golden))
    if "prompts" in parts:
        write_golden(golden / "prompts.json", _prompts(golden / "prompts.json", tiny, real_files))
    if "generate" in parts:
        processor = load_processor(tiny)
        made = generate(tiny_model(seed), processor, PromptEncoder(processor))
        write_golden(golden / "generate.json", made)
    if "attention-boxes" in parts:
        write_golden(golden / "attention-boxes.json", attention_boxes(seed))
    if "boxes" in parts:
        write_golden(golden / "generate-box.json", write_boxes(out, seed))


def _prompts(path: Path, tiny: Path, real_files: Path) -> dict:
    """Returns the golden of prompts. Without `real_files`, cases of the real tokenizer are taken from the old file."""
    if real_files.is_dir():
        return prompts({"tiny": tiny, REAL: real_files})
    kept = read_json(path)["cases"] if path.exists() else []
    print(f"{real_files} is not there: the prompts of {REAL} stay as they are")
    made = prompts({"tiny": tiny})
    return made | {"cases": made["cases"] + [case for case in kept if case["tokenizer"] == REAL]}


def write_golden(path: Path, golden: dict) -> None:
    """Writes a JSON object whose `cases` is a list; equal goldens are written as equal bytes."""
    head = {key: value for key, value in golden.items() if key != "cases"}
    lines = [json.dumps(case, ensure_ascii=True) for case in golden["cases"]]
    text = json.dumps(head, indent=1, ensure_ascii=True)[:-2]
    path.write_text(f'{text},\n "cases": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
