"""The folders of the repository and of the trainer."""

from pathlib import Path

TRAINER = Path(__file__).resolve().parents[2]
REPOSITORY = TRAINER.parent
