"""What fixtures and goldens are made of by default. This module imports nothing slow, since --help names it."""

from pathlib import Path

PARTS = (
    "contract",
    "measures",
    "replies",
    "attention",
    "models",
    "grids",
    "pixels",
    "prompts",
    "generate",
    "boxes",
    "attention-boxes",
)
"""The goldens, by the names that `--only` takes."""
REAL = "smolvlm-256m-instruct"
"""The name, in the goldens of prompts, of the real model's tokenizer."""
REAL_FILES = Path(__file__).resolve().parents[4] / "shared" / "smolvlm-256m-instruct"
"""`../shared/smolvlm-256m-instruct` next to the repository: config and tokenizer of the real model, without weights."""
SEED = 2
"""Of the models' random weights."""
