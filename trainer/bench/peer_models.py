"""Makes the model folders that `npm run bench` compares: once, and again when the code or the model has changed.

    python trainer/bench/peer_models.py full --files DIR --out CACHE [--precision fp32 int8 q4] [--hub]
    python trainer/bench/peer_models.py mini --folder models/cropvlm-mini --out CACHE [--checkpoint DIR --hub]

`full` writes CACHE/full-size: `checkpoint` (transformers; the architecture and files of DIR, random weights), `ours`
(our layout, each precision). `mini` writes CACHE/mini: `ours`, the bundled folder with the precisions that it lacks.
`--hub` adds `hub`, the checkpoint in the hub's layout for transformers.js, fp32 and q8.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import onnx
from dynamic_q8 import dynamic_q8
from grpo.work import save_random_weights

from cropvlm_trainer import export as export_package
from cropvlm_trainer.export.check.session import GRAPHS
from cropvlm_trainer.export.export import export_model, save_graph
from cropvlm_trainer.export.manifest import write_manifest
from cropvlm_trainer.export.precision.precision import convert
from cropvlm_trainer.export.settings import PRECISIONS
from cropvlm_trainer.files import write_json
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint

HUB_Q8 = "_quantized"
"""The suffix that transformers.js gives its dtype q8."""


def make_full(files: Path, out: Path, precisions: Sequence[str]) -> Path:
    """Makes `checkpoint` and `ours`; returns the checkpoint's folder."""
    checkpoint = out / "checkpoint"
    once(checkpoint, "", lambda made: save_random_checkpoint(files, made))
    ours = " ".join(precisions)
    once(out / "ours", ours, lambda made: export(checkpoint, files, made, "full-size-random", precisions))
    return checkpoint


def make_hub(checkpoint: Path, files: Path, out: Path) -> None:
    once(out / "hub", str(checkpoint.resolve()), lambda made: export_hub(checkpoint, files, made))


def make_mini(folder: Path, out: Path, precisions: Sequence[str]) -> None:
    manifest = (folder / "cropvlm.json").read_text(encoding="utf-8")
    ours = f"{manifest} {precisions}"
    once(out / "ours", ours, lambda made: add_precisions(folder, made, precisions))


def once(out: Path, made_of: str, make: Callable[[Path], None]) -> None:
    """Makes the folder `out`, unless it is there and was made of the same by the same export code."""
    sources = sorted(Path(export_package.__file__).parent.rglob("*.py"))
    code = b"".join(source.read_bytes() for source in sources) if out.name != "checkpoint" else b""
    stamp, now = out.with_name(f"{out.name}.stamp"), hashlib.sha256(made_of.encode() + code).hexdigest()
    if out.exists() and stamp.exists() and stamp.read_text() == now:
        return
    stamp.unlink(missing_ok=True)
    made = out.with_name(f"{out.name}.making")
    shutil.rmtree(made, ignore_errors=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    make(made)
    shutil.rmtree(out, ignore_errors=True)
    made.rename(out)
    stamp.write_text(now)


def save_random_checkpoint(files: Path, out: Path) -> None:
    save_random_weights(files, out)
    for name in ("generation_config.json", "chat_template.json"):
        shutil.copyfile(files / name, out / name)


def export(checkpoint: Path, files: Path, out: Path, model_id: str, precisions: Sequence[str], **options) -> None:
    """Exports as `cropvlm-train export` does, but with little checked.

    fp32 is compared with torch on one prompt. The other precisions may agree as little as they do: with random weights
    that says nothing.
    """
    model, processor = load_checkpoint(checkpoint)
    export_model(
        model,
        processor,
        files,
        out,
        role="cropper",
        model_id=model_id,
        precisions=precisions,
        parity_prompts=1,
        parity_pages=0,
        floor=0.0,
        training={"base": None, "data": None, "recipe": "random weights", "steps": 0, "seed": 0},
        **options,
    )


def export_hub(checkpoint: Path, files: Path, out: Path) -> None:
    export(checkpoint, files, out, "hub", ("fp32",), hub_layout=True)
    for name in GRAPHS:
        graph = onnx.load(out / "onnx" / f"{name}.onnx")
        # The table of words is float16, as in our int8.
        made = convert(graph, name, "int8") if name == "embed_tokens" else dynamic_q8(graph)
        save_graph(made, out / "onnx" / f"{name}{HUB_Q8}.onnx")
    # transformers.js looks for the chat template nowhere else.
    tokenizer = out / "tokenizer_config.json"
    config = json.loads(tokenizer.read_text(encoding="utf-8"))
    config["chat_template"] = json.loads((out / "chat_template.json").read_text(encoding="utf-8"))["chat_template"]
    write_json(tokenizer, config)


def add_precisions(folder: Path, out: Path, precisions: Sequence[str]) -> None:
    """A copy of an exported folder with the precisions that it lacks, made from its fp32 graphs."""
    shutil.copytree(folder, out)
    known = json.loads((out / "cropvlm.json").read_text(encoding="utf-8"))
    for precision in precisions:
        if precision in known["precisions"]:
            continue
        for name in GRAPHS:
            graph = onnx.load(out / "onnx" / f"{name}.onnx")
            save_graph(convert(graph, name, precision), out / "onnx" / f"{name}{PRECISIONS[precision]}.onnx")
    default = known["default_resolution"]
    write_manifest(
        out,
        model_id=known["id"],
        role=known["role"],
        resolutions=[default, *(size for size in known["resolutions"] if size != default)],
        precisions=list(dict.fromkeys([*known["precisions"], *precisions])),
        training=known["training"],
        scores=known["scores"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=("full", "mini"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--files", type=Path, help="full: a folder with SmolVLM's config and tokenizer")
    parser.add_argument("--folder", type=Path, help="mini: the bundled model folder")
    parser.add_argument("--checkpoint", type=Path, help="mini: the transformers checkpoint that it was exported from")
    parser.add_argument("--hub", action="store_true", help="the hub's layout too")
    parser.add_argument("--precision", nargs="+", default=["fp32", "int8", "q4"], choices=PRECISIONS)
    args = parser.parse_args()
    out = args.out / ("full-size" if args.model == "full" else "mini")
    if args.model == "full":
        if args.files is None:
            parser.error("full needs --files")
        checkpoint, files = make_full(args.files, out, args.precision), args.files
    else:
        if args.folder is None:
            parser.error("mini needs --folder")
        make_mini(args.folder, out, args.precision)
        checkpoint = files = args.checkpoint
    if args.hub:
        if checkpoint is None:
            parser.error("--hub of mini needs --checkpoint")
        make_hub(checkpoint, files, out)


if __name__ == "__main__":
    main()
