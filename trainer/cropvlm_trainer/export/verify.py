"""`cropvlm-train verify`: is a model folder what its `cropvlm.json` says, and does it work? A line for each check."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from transformers import AutoProcessor, Idefics3Processor

from cropvlm_trainer.contract import PROMPT_CONTRACT, cropper_prompt, target_prompt
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.export import manifest
from cropvlm_trainer.export.check.agreement import FLOOR, check_lossy
from cropvlm_trainer.export.check.expected import NEW_TOKENS, Expected, expected, make_prompt
from cropvlm_trainer.export.check.parity import TOLERANCE, check_exact
from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.export.precision.precision import PRECISIONS
from cropvlm_trainer.idefics3.adapter import open_checkpoint

MANIFEST = "cropvlm.json"
ROLES = {"cropper": cropper_prompt, "target": target_prompt}
LISTS = {
    "resolutions": lambda value: type(value) is int and value > 0,
    "precisions": lambda value: value in tuple(PRECISIONS),
}


@dataclass(frozen=True)
class Check:
    passed: bool
    text: str


@dataclass(frozen=True)
class Against:
    """A checkpoint to compare the folder with again, and how far from it the graphs may be."""

    checkpoint: Path
    base: Path | None = None
    tolerance: float = TOLERANCE
    floor: float = FLOOR


def verify(folder: Path, against: Against | None = None) -> Iterator[Check]:
    """Yields each check when it is done. With a file missing or damaged, graphs and answers are not tried.

    Raises FileNotFoundError where there is no folder, or no checkpoint to compare with.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; name the folder of an exported model")
    try:
        record = _read(folder / MANIFEST)
    except ValueError as error:
        yield Check(False, f"{MANIFEST}: {error}; export the model again")
        return
    yield Check(True, f"{MANIFEST}: {record['id']}, revision {record['revision']}")
    kept = [_file(folder / name, name, digest) for name, digest in record["sha256"].items()]
    yield from kept
    yield from _strangers(folder, record["sha256"])
    if not all(check.passed for check in kept):
        yield Check(False, "graphs and answers were not tried; export the model again, or fetch it anew")
        return
    yield from _works(folder, record)
    if against:
        yield from _parity(folder, record, against)


def _read(path: Path) -> dict:
    """The record; raises ValueError for what the other checks could not make sense of."""
    if not path.is_file():
        raise ValueError("the file is missing, and a folder without it promises nothing to verify")
    record = json.loads(path.read_text(encoding="utf-8"))
    known = {"format": manifest.FORMAT, "prompt_contract": PROMPT_CONTRACT}
    for key, value in known.items():
        if not isinstance(record, dict) or record.get(key) != value:
            raise ValueError(f"`{key}` is not {value}")
    hashes = record.get("sha256")
    if not isinstance(hashes, dict) or record.get("revision") != manifest.revision(hashes):
        raise ValueError("`revision` does not belong to the files of `sha256`")
    if record.get("role") not in tuple(ROLES) or not record.get("id"):
        raise ValueError(f"`id` is missing, or `role` is none of {', '.join(ROLES)}")
    for name, fits in LISTS.items():
        values = record.get(name)
        if not isinstance(values, list) or not values or not all(fits(value) for value in values):
            raise ValueError(f"`{name}` is no list of them: {values}")
        if record.get(f"default_{name[:-1]}") not in values:
            raise ValueError(f"`default_{name[:-1]}` is none of `{name}`")
    return record


def _file(path: Path, name: str, promised: str) -> Check:
    if not path.is_file():
        return Check(False, f"{name}: the file is missing")
    found = manifest.sha256(path)
    if found != promised:
        return Check(False, f"{name}: the file is damaged, its sha256 is {found}, not {promised}")
    return Check(True, f"{name}: sha256")


def _strangers(folder: Path, hashes: dict[str, str]) -> Iterator[Check]:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(found - set(hashes) - {MANIFEST}):
        yield Check(False, f"{name}: {MANIFEST} does not name this file; remove it")


def _works(folder: Path, record: dict) -> Iterator[Check]:
    """Graphs load at each precision, and a page is answered with finite logits at each resolution."""
    processor = AutoProcessor.from_pretrained(folder)
    for precision in record["precisions"]:
        loaded: list[OnnxModel] = []
        yield _attempt(f"{precision}: graphs load", partial(_load, loaded, folder, PRECISIONS[precision]))
        for resolution in record["resolutions"] if loaded else []:
            answer = partial(_answer, loaded[0], processor, ROLES[record["role"]], resolution)
            yield _attempt(f"{precision}: a page at {resolution} pixels", answer)


def _load(into: list[OnnxModel], folder: Path, suffix: str) -> None:
    into.append(OnnxModel(folder, suffix))


def _answer(onnx_model: OnnxModel, processor: Idefics3Processor, prompt: Callable[[str], str], resolution: int) -> str:
    """Answers a page freely; raises ValueError for logits that are not finite."""
    page, _ = dataset.make_page(dataset.HELD_OUT_SEED, 0)
    made = make_prompt(processor, [page.image], prompt(page.questions[0].text), resolution)
    embeds = onnx_model.prompt(made.ids, made.tiles, processor.image_token_id)
    tokens, logits = onnx_model.generate(embeds, {processor.tokenizer.eos_token_id}, NEW_TOKENS)
    if not np.all(np.isfinite(logits)):
        raise ValueError("logits are not finite")
    return f"{len(made.tiles)} tiles, {len(tokens)} tokens, logits within {np.abs(logits).max():.1f}"


def _parity(folder: Path, record: dict, against: Against) -> Iterator[Check]:
    """The graphs against torch once more. Boxes are not: they were compared with fp32's when the folder was made."""
    with open_checkpoint(against.checkpoint, against.base) as (model, processor, _):
        wanted = expected(model.eval(), processor)
    for precision in record["precisions"]:
        yield _attempt(f"{precision}: parity", partial(_compare, wanted, folder, precision, against))


def _compare(wanted: list[Expected], folder: Path, precision: str, against: Against) -> dict:
    onnx_model = OnnxModel(folder, PRECISIONS[precision])
    if precision == "fp32":
        return check_exact(wanted, onnx_model, against.tolerance)
    return check_lossy(wanted, onnx_model, against.floor)


def _attempt(name: str, check: Callable[[], object]) -> Check:
    """Passed unless it raises: onnxruntime has a dozen kinds of error, and every one means that it does not work."""
    try:
        found = check()
    except Exception as error:
        return Check(False, f"{name}: {_first_line(error)}")
    return Check(True, name if found is None else f"{name}: {found}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
