"""What weights are read: safetensors. A pickle can run a stranger's code when it is loaded, so none is opened."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
"""The names that files of pickled weights have."""


def check_weights(folder: Path, pattern: str = "*.safetensors") -> None:
    """Raises FileNotFoundError where a folder holds no weights, and ValueError where they are pickles or broken.

    `pattern`: the names of the files with the weights.
    """
    files = sorted(folder.glob(pattern))
    if not files:
        pickles = sorted(path.name for name in PICKLES for path in folder.glob(name))
        if pickles:
            raise ValueError(
                f"{folder} holds its weights as a pickle ({', '.join(pickles)}), which can run a stranger's code and "
                "is not loaded; convert it to safetensors: load it with transformers or peft where you trust it, and "
                "write it with `save_pretrained`"
            )
        raise FileNotFoundError(f"{folder} holds no weights ({pattern}); name the folder of a whole checkpoint")
    for path in files:
        try:
            with safe_open(path, "pt"):
                pass
        except SafetensorError as error:
            raise ValueError(f"{path} is no safetensors file, or is broken ({error}); fetch it again") from error
