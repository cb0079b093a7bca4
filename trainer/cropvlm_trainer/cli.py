"""`cropvlm-train`: each subcommand is a module that declares its own arguments (`add_arguments`) and runs (`run`)."""

from __future__ import annotations

import argparse
import importlib
import sys

COMMANDS = {
    "data": ("cropvlm_trainer.data.command", "make training and evaluation data"),
    "pretrain": (
        "cropvlm_trainer.pretrain.command",
        "train a small Idefics3 from scratch to answer from full image and crop",
    ),
    "full-sft": (
        "cropvlm_trainer.full_sft.command",
        "train all weights of a small cropper from boxes",
    ),
    "sft": ("cropvlm_trainer.sft.command", "train a cropper from boxes"),
    "grpo": ("cropvlm_trainer.grpo.command", "train a cropper by what helps a reward VLM to answer"),
    "eval": ("cropvlm_trainer.evaluation.command", "score a cropper and a target on a manifest"),
    "summary": ("cropvlm_trainer.evaluation.summary", "put the scores of several croppers and seeds side by side"),
    "export": ("cropvlm_trainer.export.command", "write the ONNX folder that the service runs"),
    "verify": ("cropvlm_trainer.export.verify_command", "check an exported folder: files, graphs, answers, parity"),
    "fixture": ("cropvlm_trainer.golden.fixtures.command", "write random-weight model folders for tests"),
    "golden": ("cropvlm_trainer.golden.command", "write the oracle files that the TypeScript tests read"),
}


def main(argv: list[str] | None = None) -> int:
    """Runs a command line and returns its exit status: 2, with a message, for missing files and wrong values."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="cropvlm-train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # Only the module of the command that was given is imported. It imports nothing slow before the command runs: torch
    # takes seconds to import, and --help should not.
    for name, (module_name, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if argv and argv[0] == name:
            module = importlib.import_module(module_name)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    try:
        return args.run(args) or 0
    except (FileNotFoundError, ValueError) as error:
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        print(f"cropvlm-train {args.command}: {error}{notes}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
