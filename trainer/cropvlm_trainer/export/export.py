"""`cropvlm-train export`: an Idefics3 checkpoint -> the ONNX folder that the service runs, checked against torch."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.export import manifest
from cropvlm_trainer.export.check.agreement import FLOOR, check_lossy
from cropvlm_trainer.export.check.expected import PROMPTS, Expected, expected
from cropvlm_trainer.export.check.pages import PAGES, check_pages, on_pages
from cropvlm_trainer.export.check.parity import TOLERANCE, check_exact
from cropvlm_trainer.export.check.session import GRAPHS, OnnxModel
from cropvlm_trainer.export.graphs.decoder import decoder_graph
from cropvlm_trainer.export.graphs.embed import embed_graph
from cropvlm_trainer.export.graphs.hub import hub_decoder_graph, hub_vision_graph
from cropvlm_trainer.export.graphs.pixels import normalisation
from cropvlm_trainer.export.graphs.vision import vision_graph
from cropvlm_trainer.export.precision.precision import PRECISIONS, convert
from cropvlm_trainer.idefics3.adapter import open_checkpoint
from cropvlm_trainer.idefics3.checkpoint import read_training

SINGLE_FILE_BYTES = 1_500_000_000
"""A larger graph keeps its weights in one `.onnx_data` file beside it: protobuf ends at 2 GB."""


def export(checkpoint: Path, out: Path, *, base: Path | None = None, **options: Any) -> dict:
    """Exports the Idefics3 checkpoint in a folder, or a LoRA adapter merged into its base (`open_checkpoint`).

    The options are those of `export_model`.
    """
    with open_checkpoint(checkpoint, base) as (model, processor, files):
        return export_model(model, processor, files, out, **options)


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
    tolerance: float = TOLERANCE,
    floor: float = FLOOR,
    parity_prompts: int = len(PROMPTS),
    parity_pages: int = PAGES,
    training: dict | None = None,
    scores: dict | None = None,
) -> dict:
    """Writes the folder `out` anew; gives its `cropvlm.json`, or the parity alone for the hub's layout, which has none.

    `files`: the folder of config, tokenizer and processor files that go with the model, and of
    `training.json`, the record of its training, unless `training` gives that.
    `scores`: what the model was measured to do, kept in `cropvlm.json` beside the parity.
    `resolutions`: longest edges that the model was taught, the default first; 1, 2 and 4 tiles where None.
    `precisions`: the first is the default. fp32 is made and checked in any case: the others are made from it.
    Raises ValueError for a model that cannot be exported, whose fp32 graphs differ from torch by more than `tolerance`
    or whose other graphs cannot be used (ParityError; `floor`).
    """
    _refuse_unknown(precisions, hub_layout)
    _refuse_other_folders(out)
    model.eval()
    # Written beside the old folder and put in its place only once it is known to be right.
    made = out.with_name(f"{out.name}.partial")
    shutil.rmtree(made, ignore_errors=True)
    (made / "onnx").mkdir(parents=True)
    manifest.copy_hub_files(files, processor, made)
    for name, graph in _graphs(model, processor, hub_layout):
        for precision in dict.fromkeys(("fp32", *precisions)):
            save_graph(convert(graph, name, precision), made / "onnx" / f"{name}{PRECISIONS[precision]}.onnx")
    taught = list(resolutions or manifest.tile_resolutions(processor))
    wanted = expected(model, processor, parity_prompts)
    parity = _check(wanted, processor, made, precisions, tolerance, floor, role, taught, parity_pages)
    if "fp32" not in precisions:
        for name in GRAPHS:
            for path in (made / "onnx").glob(f"{name}.onnx*"):
                path.unlink()
    record = parity
    if not hub_layout:
        record = manifest.write_manifest(
            made,
            model_id=model_id,
            role=role,
            resolutions=taught,
            precisions=list(precisions),
            training=training or read_training(files),
            scores={**(scores or {}), "parity": parity},
        )
    if out.exists():
        shutil.rmtree(out)
    made.rename(out)
    return record


def _graphs(
    model: Idefics3ForConditionalGeneration, processor: Idefics3Processor, hub_layout: bool
) -> Iterator[tuple[str, onnx.ModelProto]]:
    """In fp32, one after the other: large models fit in memory once or twice."""
    scale = normalisation(processor.image_processor.to_dict())
    yield GRAPHS[0], hub_vision_graph(model) if hub_layout else vision_graph(model, scale)
    yield GRAPHS[1], embed_graph(model)
    yield GRAPHS[2], hub_decoder_graph(model) if hub_layout else decoder_graph(model)


def _check(
    wanted: list[Expected],
    processor: Idefics3Processor,
    made: Path,
    precisions: Sequence[str],
    tolerance: float,
    floor: float,
    role: str,
    resolutions: Sequence[int],
    pages: int,
) -> dict:
    """The parity of each precision asked for. fp32 comes first, so that a wrong graph is not put down to rounding."""
    exact = OnnxModel(made)
    parity = {"fp32": check_exact(wanted, exact, tolerance)}
    lossy = [precision for precision in precisions if precision != "fp32"]
    true = on_pages(role, exact, processor, resolutions, pages) if lossy and pages else []
    for precision in lossy:
        onnx_model = OnnxModel(made, PRECISIONS[precision])
        parity[precision] = check_lossy(wanted, onnx_model, floor)
        if true:
            found = on_pages(role, onnx_model, processor, resolutions, pages)
            parity[precision] |= check_pages(role, true, found, onnx_model, floor)
    return {precision: parity[precision] for precision in precisions}


def save_graph(graph: onnx.ModelProto, path: Path) -> None:
    """One file, or two where it would be too large for one."""
    large = graph.ByteSize() > SINGLE_FILE_BYTES
    onnx.save(graph, path, save_as_external_data=large, location=f"{path.name}_data")


def _refuse_unknown(precisions: Sequence[str], hub_layout: bool) -> None:
    unknown = [precision for precision in precisions if precision not in PRECISIONS]
    if unknown or not precisions:
        raise ValueError(f"unknown precision {', '.join(unknown) or '(none)'}; known are {', '.join(PRECISIONS)}")
    if hub_layout and "fp16" in precisions:
        raise ValueError("the hub's layout has no fp16 here: its norms' squares leave the range; leave fp16 out")


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
