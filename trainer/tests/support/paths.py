"""Where the repository and the trainer lie, whatever folder a test is in."""

from pathlib import Path

TRAINER = Path(__file__).resolve().parents[2]
REPOSITORY = TRAINER.parent
