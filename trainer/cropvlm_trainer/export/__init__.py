"""`cropvlm-train export`: an Idefics3 checkpoint -> the ONNX folder that the service runs, checked against torch."""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.export import manifest
from cropvlm_trainer.export.decoder import decoder_graph
from cropvlm_trainer.export.embed import embed_graph
from cropvlm_trainer.export.hub import hub_decoder_graph, hub_vision_graph
from cropvlm_trainer.export.parity import check_parity
from cropvlm_trainer.export.session import GRAPHS
from cropvlm_trainer.export.vision import vision_graph
from cropvlm_trainer.model import load_checkpoint

PRECISIONS = {"fp32": ""}
"""Precision -> the suffix of its graph files, as on the hub."""

SINGLE_FILE_BYTES = 1_500_000_000
"""A larger graph keeps its weights in one `.onnx_data` file beside it: protobuf ends at 2 GB."""

OURS = (vision_graph, embed_graph, decoder_graph)
HUB = (hub_vision_graph, embed_graph, hub_decoder_graph)


def export(checkpoint: Path, out: Path, **options: Any) -> dict:
    """Exports the Idefics3 checkpoint in a folder; the options are those of `export_model`."""
    model, processor = load_checkpoint(checkpoint)
    return export_model(model, processor, checkpoint, out, **options)


def export_model(
    model: Idefics3ForConditionalGeneration,
    processor: Idefics3Processor,
    files: Path,
    out: Path,
    *,
    role: str,
    model_id: str,
    precisions: Sequence[str] = ("fp32",),
    hub_layout: bool = False,
    resolutions: Sequence[int] | None = None,
    tolerance: float = 1e-3,
    parity_prompts: int = 4,
    training: dict | None = None,
    scores: dict | None = None,
) -> dict:
    """Writes the folder `out` anew; gives its `cropvlm.json`, or the parity alone for the hub's layout, which has none.

    `files`: the folder of config, tokenizer and processor files that go with the model, and of
    `training.json`, the record of its training, unless `training` gives that.
    `scores`: what the model was measured to do, kept in `cropvlm.json` beside the parity.
    `resolutions`: longest edges that the model was taught, the default first; 1, 2 and 4 tiles where None.
    Raises ValueError for a model that cannot be exported or whose graphs differ from torch (ParityError).
    """
    unknown = [precision for precision in precisions if precision not in PRECISIONS]
    if unknown:
        raise ValueError(f"unknown precision {', '.join(unknown)}; known are {', '.join(PRECISIONS)}")
    _refuse_other_folders(out)
    model.eval()
    # Written beside the old folder and put in its place only once it is known to be right.
    made = out.with_name(f"{out.name}.partial")
    shutil.rmtree(made, ignore_errors=True)
    (made / "onnx").mkdir(parents=True)
    manifest.copy_hub_files(files, processor, made)
    parity = {}
    for precision in precisions:
        suffix = PRECISIONS[precision]
        for name, make in zip(GRAPHS, HUB if hub_layout else OURS, strict=True):
            save_graph(make(model), made / "onnx" / f"{name}{suffix}.onnx")
        parity[precision] = check_parity(
            model, processor, made, suffix=suffix, tolerance=tolerance, prompts=parity_prompts
        )
    record = parity
    if not hub_layout:
        record = manifest.write_manifest(
            made,
            model_id=model_id,
            role=role,
            resolutions=list(resolutions or manifest.tile_resolutions(processor)),
            precisions=list(precisions),
            training=training or manifest.read_training(files),
            scores={**(scores or {}), "parity": parity},
        )
    if out.exists():
        shutil.rmtree(out)
    made.rename(out)
    return record


def save_graph(graph: onnx.ModelProto, path: Path) -> None:
    """One file, or two where it would be too large for one."""
    large = graph.ByteSize() > SINGLE_FILE_BYTES
    onnx.save(graph, path, save_as_external_data=large, location=f"{path.name}_data")


def _refuse_other_folders(out: Path) -> None:
    """An export replaces an older one, and never what is not one."""
    known = {*manifest.COPIED, "cropvlm.json", "onnx"}
    found = {path.name for path in out.iterdir()} if out.exists() else set()
    strangers = found - known
    if strangers or (found and "onnx" not in found):
        named = ", ".join(sorted(strangers or found)[:3])
        raise ValueError(
            f"{out} holds something other than an exported model ({named}); give another folder with --out"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", type=Path, required=True, help="an Idefics3 folder with weights and processor")
    parser.add_argument("--out", type=Path, required=True, help="the model folder; an older export there is replaced")
    parser.add_argument("--role", choices=("cropper", "target"), required=True)
    parser.add_argument("--id", required=True, help="the model's name in replies and in /info")
    parser.add_argument("--precision", nargs="+", default=["fp32"], choices=PRECISIONS, help="the first is the default")
    parser.add_argument("--resolution", nargs="+", type=int, help="longest edges taught, the default first (pixels)")
    parser.add_argument("--hub-layout", action="store_true", help="unfused graphs with the hub's inputs")
    parser.add_argument("--scores", type=Path, help="JSON of `eval`, kept in cropvlm.json")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="largest difference over torch's own spread")


def run(args: argparse.Namespace) -> int:
    made = export(
        args.checkpoint,
        args.out,
        role=args.role,
        model_id=args.id,
        precisions=tuple(args.precision),
        hub_layout=args.hub_layout,
        resolutions=args.resolution,
        tolerance=args.tolerance,
        scores=json.loads(args.scores.read_text(encoding="utf-8")) if args.scores else None,
    )
    parity = made if args.hub_layout else made["scores"]["parity"]
    print(f"wrote {args.out}; largest differences from torch: {parity}")
    return 0
