from pathlib import Path

import matplotlib
import pytest

from cropvlm_trainer.data.synth.documents.fonts import Fonts, find_fonts


@pytest.fixture(scope="session")
def font_folder() -> Path:
    """Fonts that are there wherever the trainer is: those of DejaVu that matplotlib brings."""
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@pytest.fixture(scope="session")
def fonts(font_folder) -> Fonts:
    return find_fonts([font_folder])
