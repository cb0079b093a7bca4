"""No code of the trainer loads a pickle, or runs code that a file or a stranger brings."""

from __future__ import annotations

import ast

import pytest
from support.paths import TRAINER

MODULES = ("pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "pandas")
"""Modules that load pickles or bytecode, or whose readers do."""
ALLOWED = {("pickle", "UnpicklingError")}
"""What may be imported from them: the error that torch raises for a file that it does not load."""


def faults(source: str) -> list[str]:
    """What a module's source does that could run a stranger's code, as `line: what`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        for what in _faults(node):
            found.append(f"{node.lineno}: {what}")
    return found


def _faults(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [f"imports {a.name}" for a in node.names if a.name.split(".")[0] in MODULES]
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
        return [f"imports {a.name} of {node.module}" for a in node.names if (node.module, a.name) not in ALLOWED]
    if isinstance(node, ast.ImportFrom) and node.module in ("torch", "numpy", "yaml"):
        return [
            f"imports {a.name} of {node.module}: call it by its module's name" for a in node.names if _loads(a.name)
        ]
    return _call_faults(node) if isinstance(node, ast.Call) else []


def _loads(name: str) -> bool:
    return name in ("load", "unsafe_load", "full_load")


def _call_faults(call: ast.Call) -> list[str]:
    name = ast.unparse(call.func)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    last = name.rpartition(".")[2]
    wrong = []
    if name in ("eval", "exec", "compile", "__import__"):
        wrong.append(f"calls {name}")
    if name == "torch.load" and given.get("weights_only") != "True":
        wrong.append("torch.load without weights_only=True")
    elif given.get("weights_only", "True") != "True":
        wrong.append("weights_only is not True")
    if name in ("torch.hub.load", "torch.package.PackageImporter"):
        wrong.append(f"calls {name}")
    if given.get("allow_pickle", "False") != "False":
        wrong.append("allow_pickle")
    if given.get("trust_remote_code", "False") != "False":
        wrong.append("trust_remote_code")
    if name.startswith("yaml.") and _loads(last) and given.get("Loader") not in ("yaml.SafeLoader", "yaml.CSafeLoader"):
        wrong.append(f"calls {name} without a safe loader")
    if name.startswith("Auto") and last == "from_pretrained" and "trust_remote_code" not in given:
        wrong.append(f"{name} without trust_remote_code=False")
    return wrong


def test_no_module_loads_pickles_or_strangers_code():
    sources = sorted((TRAINER / "cropvlm_trainer").rglob("*.py"))
    assert len(sources) > 100
    found = {str(path.relative_to(TRAINER)): faults(path.read_text(encoding="utf-8")) for path in sources}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import joblib.numpy_pickle",
        "from pickle import loads",
        "from dill import load",
        "from torch import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=safe)",
        "np.load(path, allow_pickle=True)",
        "Model.from_pretrained(path, trust_remote_code=True)",
        "Model.from_pretrained(path, weights_only=False)",
        "AutoProcessor.from_pretrained(path)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.unsafe_load(text)",
        "torch.hub.load(name)",
        "eval(text)",
        "exec(text)",
    ],
)
def test_each_way_to_load_one_is_found(source):
    assert len(faults(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from pickle import UnpicklingError",
        "torch.load(path, weights_only=True)",
        "np.load(path)",
        "model.eval()",
        "yaml.safe_load(text)",
        "AutoProcessor.from_pretrained(path, trust_remote_code=False)",
    ],
)
def test_what_is_harmless_is_let_through(source):
    assert faults(source) == []
