"""`cropvlm-train export`: an Idefics3 checkpoint -> the ONNX folder that the service runs, checked against torch."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.attention.maps import attention_layers
from cropvlm_trainer.export.check.agreement import check_precision
from cropvlm_trainer.export.check.expected import PROMPTS, Expected, expected
from cropvlm_trainer.export.check.pages import Pages, check_pages, drawn, of_data, on_pages
from cropvlm_trainer.export.check.session import GRAPHS, OnnxModel
from cropvlm_trainer.export.graphs.decoder import decoder_graph
from cropvlm_trainer.export.graphs.embed import embed_graph
from cropvlm_trainer.export.graphs.hub import hub_decoder_graph, hub_vision_graph
from cropvlm_trainer.export.graphs.pixels import normalisation
from cropvlm_trainer.export.graphs.vision import vision_graph
from cropvlm_trainer.export.manifest import (
    COPIED,
    MANIFEST,
    check_words,
    copy_hub_files,
    tile_resolutions,
    write_manifest,
)
from cropvlm_trainer.export.precision.precision import convert
from cropvlm_trainer.export.settings import FLOOR, PAGES, PRECISIONS, TOLERANCE
from cropvlm_trainer.idefics3.adapter import open_checkpoint
from cropvlm_trainer.idefics3.checkpoint import read_training

SINGLE_FILE_BYTES = 1_500_000_000
"""A larger graph has its weights in one `.onnx_data` file beside it: protobuf takes at most 2 GB."""


def export(checkpoint: Path, out: Path, *, base: Path | None = None, **options: Any) -> dict:
    """Exports the Idefics3 checkpoint in a folder, or a LoRA adapter merged into its base (`open_checkpoint`).

    The options, the result and the errors are those of `export_model`.
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
    parity_data: Path | None = None,
    fp32_decoder: bool = False,
    training: dict | None = None,
    scores: dict | None = None,
    warning: str | None = None,
    attention: Sequence[int] | None = None,
) -> dict:
    """Writes the folder `out`, in place of an older export there.

    Returns its manifest (`cropvlm.json`). The hub's layout has none: then the parity is returned.

    - `files`: the folder with the model's config, tokenizer and processor files, and with `training.json`;
    - `precisions`: the first is the default. fp32 is made and checked in any case, as the others are made from it;
    - `hub_layout`: graphs of ONNX's own operators with the hub's inputs and outputs;
    - `resolutions`: longest edges that the model was taught, in pixels, the default first; None: 1, 2 and 4 tiles;
    - `tolerance`: how far the fp32 graphs may be from torch (`check.parity`);
    - `floor`: the least agreement with torch and fp32 that is taken of the other precisions (`check.agreement`);
    - `parity_prompts`, `parity_pages`: how many prompts and pages are compared;
    - `parity_data`: the data set (JSONL) whose pages these are; None: synthetic ones, as of the bundled mini models;
    - `fp32_decoder`: the decoder stays float32 in int8 and q4;
    - `training`: the record of the model's training; None: that in `files`;
    - `scores`: measurements of the model, kept in the manifest beside the parity;
    - `warning`: what users of the model should know; the service repeats it in every reply;
    - `attention`: the layers, from 0, whose attention the decoder gives too; none of them: the one in the middle;
      None: no attention.

    Raises ValueError for a model that cannot be exported and for an `out` that holds something else, ParityError for
    graphs that are beyond `tolerance` or below `floor`. An older export then stays as it is.
    """
    _refuse_unknown(precisions, hub_layout)
    check_words(model_id, warning)
    if fp32_decoder and "fp16" in precisions:
        raise ValueError("fp16 is half as wide for the decoder's cache too; leave out --fp32-decoder or fp16")
    if fp32_decoder and not {"int8", "q4"} & {*precisions}:
        raise ValueError("--fp32-decoder is for int8 and q4; leave it out, or add one of them to --precision")
    if parity_data and not parity_pages:
        raise ValueError("with --parity-pages 0 no page of --parity-data is looked at; leave one of them out")
    layers = layers_given(model, attention, hub_layout)
    _refuse_other_folders(out)
    pages = _pages(role, parity_data, parity_pages)
    model.eval()
    # Written beside the old folder, and put in its place once all checks have passed.
    draft = out.with_name(f"{out.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "onnx").mkdir(parents=True)
    copy_hub_files(files, processor, draft)
    for name, graph in _graphs(model, processor, hub_layout, layers):
        for precision in dict.fromkeys(("fp32", *precisions)):
            into = "fp32" if fp32_decoder and name == GRAPHS[2] else precision
            save_graph(convert(graph, name, into), draft / "onnx" / f"{name}{PRECISIONS[precision]}.onnx")
    taught = list(resolutions or tile_resolutions(processor))
    cases = expected(model, processor, parity_prompts, layers)
    parity = _check(cases, processor, draft, precisions, tolerance, floor, role, taught, pages)
    if "fp32" not in precisions:
        for name in GRAPHS:
            for path in (draft / "onnx").glob(f"{name}.onnx*"):
                path.unlink()
    result = parity
    if not hub_layout:
        result = write_manifest(
            draft,
            model_id=model_id,
            role=role,
            resolutions=taught,
            precisions=list(precisions),
            training=training or read_training(files),
            scores={**(scores or {}), "parity": parity},
            warning=warning,
            attention=layers,
        )
    if out.exists():
        shutil.rmtree(out)
    draft.rename(out)
    return result


def layers_given(model: Idefics3ForConditionalGeneration, wanted: Sequence[int] | None, hub_layout: bool) -> list[int]:
    """The layers whose attention the graph gives; raises ValueError where it cannot give it."""
    if wanted is None:
        return []
    if hub_layout:
        raise ValueError("the hub's layout has no output for attention; leave out --attention or --hub-layout")
    return attention_layers(wanted, model.config.text_config.num_hidden_layers)


def _graphs(
    model: Idefics3ForConditionalGeneration, processor: Idefics3Processor, hub_layout: bool, layers: Sequence[int]
) -> Iterator[tuple[str, onnx.ModelProto]]:
    """The fp32 graphs by name, made one after the other: a large model fits in memory once or twice."""
    scale = normalisation(processor.image_processor.to_dict())
    yield GRAPHS[0], hub_vision_graph(model) if hub_layout else vision_graph(model, scale)
    yield GRAPHS[1], embed_graph(model)
    yield GRAPHS[2], hub_decoder_graph(model) if hub_layout else decoder_graph(model, layers)


def _check(
    cases: list[Expected],
    processor: Idefics3Processor,
    folder: Path,
    precisions: Sequence[str],
    tolerance: float,
    floor: float,
    role: str,
    resolutions: Sequence[int],
    pages: Pages | None,
) -> dict:
    """The parity of each of the precisions, by name.

    fp32 is checked first, so that a wrong graph is not taken for a precision's rounding.
    """
    fp32 = OnnxModel(folder)
    parity = {"fp32": check_precision("fp32", cases, fp32, tolerance)}
    others = [precision for precision in precisions if precision != "fp32"]
    reference = on_pages(role, fp32, processor, resolutions, pages) if others and pages else []
    for precision in others:
        onnx_model = OnnxModel(folder, PRECISIONS[precision])
        parity[precision] = check_precision(precision, cases, onnx_model, floor=floor)
        if pages:
            found = on_pages(role, onnx_model, processor, resolutions, pages)
            parity[precision] |= check_pages(role, reference, found, onnx_model, floor)
    return {precision: parity[precision] for precision in precisions}


def _pages(role: str, data: Path | None, count: int) -> Pages | None:
    if not count:
        return None
    return of_data(data, count, role) if data else drawn(count)


def save_graph(graph: onnx.ModelProto, path: Path) -> None:
    """Writes one file, or two where the graph is too large for one."""
    large = graph.ByteSize() > SINGLE_FILE_BYTES
    onnx.save(graph, path, save_as_external_data=large, location=f"{path.name}_data")


def _refuse_unknown(precisions: Sequence[str], hub_layout: bool) -> None:
    """Raises ValueError for precisions that there are not, or not in this layout."""
    unknown = [precision for precision in precisions if precision not in PRECISIONS]
    if unknown or not precisions:
        raise ValueError(f"unknown precision {', '.join(unknown) or '(none)'}; known are {', '.join(PRECISIONS)}")
    if hub_layout and "fp16" in precisions:
        raise ValueError("the hub's layout has no fp16 here: its norms' squares leave the range; leave fp16 out")


def _refuse_other_folders(out: Path) -> None:
    """Raises ValueError where `out` holds anything but an older export: that alone may be replaced."""
    known = {*COPIED, MANIFEST, "onnx"}
    found = {path.name for path in out.iterdir()} if out.exists() else set()
    unknown = found - known
    if unknown or (found and "onnx" not in found):
        named = ", ".join(sorted(unknown or found)[:3])
        raise ValueError(
            f"{out} holds something other than an exported model ({named}); give another folder with --out"
        )
