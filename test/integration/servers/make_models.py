"""Makes the models of the servers: `python make_models.py <checkpoint's files> <out>`."""

from __future__ import annotations

import sys
from pathlib import Path

from tiny_smolvlm import save_model
from write_gguf import write_gguf

if __name__ == "__main__":
    files, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    save_model(files, out / "tiny-smolvlm")
    write_gguf(out / "tiny-smolvlm", out / "tiny-smolvlm.gguf", out / "mmproj.gguf")
