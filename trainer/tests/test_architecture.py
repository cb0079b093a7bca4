"""The structure of the code: which packages may import which, and how many modules a folder may have."""

from collections import Counter
from pathlib import Path

import pytest
from importlinter import cli
from support.paths import TRAINER

MAX_MODULES = 12
PACKAGE = TRAINER / "cropvlm_trainer"


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def test_imports_go_downwards_and_never_in_a_circle(capsys):
    assert cli.lint_imports(config_filename=str(TRAINER / "pyproject.toml"), no_cache=True) == 0, (
        capsys.readouterr().out
    )


def test_packages_hold_no_code_of_their_own():
    """Otherwise a module and its package could import each other, which the linter does not count as a circle."""
    assert [path for path in sources(PACKAGE) if path.name == "__init__.py" and path.read_text().strip()] == []


def test_every_folder_of_modules_is_a_package():
    """Otherwise setuptools leaves it out of what it installs."""
    folders = {path.parent for path in sources(PACKAGE)}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("root", ["cropvlm_trainer", "tests", "bench", "experiments"])
def test_no_folder_is_crowded(root):
    counts = Counter(path.parent for path in sources(TRAINER / root) if path.name != "__init__.py")
    assert {folder: count for folder, count in counts.items() if count > MAX_MODULES} == {}
