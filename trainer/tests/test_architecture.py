"""The shape of the code: what may import what (`[tool.importlinter]` in pyproject.toml), and how large a folder is."""

from collections import Counter
from pathlib import Path

import pytest
from importlinter import cli
from support.paths import TRAINER

MOST_MODULES = 12
PACKAGE = TRAINER / "cropvlm_trainer"


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def test_imports_go_downwards_and_never_in_a_circle(capsys):
    assert cli.lint_imports(config_filename=str(TRAINER / "pyproject.toml"), no_cache=True) == 0, (
        capsys.readouterr().out
    )


def test_packages_hold_no_code_of_their_own():
    """Else a module and the package around it could import each other, which the linter does not call a circle."""
    assert [path for path in sources(PACKAGE) if path.name == "__init__.py" and path.read_text().strip()] == []


def test_every_folder_of_modules_is_a_package():
    """Else it is missing from what is installed."""
    folders = {path.parent for path in sources(PACKAGE)}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("root", ["cropvlm_trainer", "tests", "bench", "experiments"])
def test_no_folder_is_crowded(root):
    counts = Counter(path.parent for path in sources(TRAINER / root) if path.name != "__init__.py")
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}
