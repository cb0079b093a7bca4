"""Reading and writing checkpoints."""

import subprocess
import sys

from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint

LOADED = """
import sys
from pathlib import Path
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint
load_checkpoint(Path(sys.argv[1]))
"""


def test_transformers_has_nothing_to_warn_of(tmp_path):
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), tmp_path, TRAINING)
    done = subprocess.run([sys.executable, "-c", LOADED, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "pad_token_id" not in done.stderr
