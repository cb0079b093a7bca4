"""`--help` of every command: what it may not import, since a user waits for it."""

import subprocess
import sys

import pytest

from cropvlm_trainer.cli import COMMANDS, main

SLOW = ("torch", "transformers", "onnx", "onnxruntime", "peft", "accelerate", "datasets", "openai", "matplotlib", "trl")
HELPED = """
import sys
from cropvlm_trainer.cli import main
for command in {commands}:
    try:
        main([*command, "--help"])
    except SystemExit as ended:
        assert ended.code == 0, command
print("imported:", *(name for name in {slow} if name in sys.modules))
"""
DATA = ("synth", "build", "split", "seed", "merge", "expand")


def test_help_imports_nothing_slow():
    commands = [[], *([name] for name in COMMANDS), *(["data", name] for name in DATA)]
    program = HELPED.format(commands=commands, slow=SLOW)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported:"
    assert done.stdout.count("usage: cropvlm-train") == len(commands)


def test_all_data_commands_are_helped(capsys):
    with pytest.raises(SystemExit):
        main(["data", "--help"])
    assert "{" + ",".join(DATA) + "}" in capsys.readouterr().out
