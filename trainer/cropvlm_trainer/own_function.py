"""Functions of the user's own, named as `module:function`. It imports nothing slow: processes that read need it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def import_function(name: str, option: str) -> Callable[..., Any]:
    """Returns the function that `name` names as `module:function`; `option` is what it was given as, for the message.

    A module is looked for in the working folder too. Raises ValueError where it or the function is not there.
    """
    module_name, _, function_name = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        return getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{option} = {name!r} is not there ({error}); start where its module lies") from error


def file_of(name: str, option: str) -> Path | None:
    """Returns the file of the module that `name` names, None where it has none; arguments and errors as above."""
    import_function(name, option)
    path = Path(getattr(sys.modules[name.partition(":")[0]], "__file__", None) or "")
    return path if path.is_file() else None
