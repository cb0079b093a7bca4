"""`cropvlm-train verify`: checks that a model folder is what its manifest (`cropvlm.json`) says, and that it works."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from transformers import Idefics3Processor

from cropvlm_trainer.contract import PROMPT_CONTRACT, cropper_prompt, target_prompt
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.export.check.agreement import check_precision
from cropvlm_trainer.export.check.expected import NEW_TOKENS, Expected, expected, make_prompt
from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.export.manifest import FORMAT, MANIFEST, revision, sha256
from cropvlm_trainer.export.settings import FLOOR, PRECISIONS, TOLERANCE
from cropvlm_trainer.files import read_json
from cropvlm_trainer.idefics3.adapter import open_checkpoint
from cropvlm_trainer.idefics3.checkpoint import load_processor

CARD = "README.md"
ROLES = {"cropper": cropper_prompt, "target": target_prompt}
LISTS: dict[str, Callable[[object], bool]] = {
    "resolutions": lambda value: type(value) is int and value > 0,
    "precisions": lambda value: value in tuple(PRECISIONS),
}
"""The manifest's lists, and what each of their values has to be."""


@dataclass(frozen=True)
class Check:
    passed: bool
    text: str
    """what was checked; if it failed, what to do"""


@dataclass(frozen=True)
class Against:
    """The checkpoint to compare the folder with again, and how far from it the graphs may be."""

    checkpoint: Path
    base: Path | None = None
    tolerance: float = TOLERANCE
    floor: float = FLOOR


def verify(folder: Path, against: Against | None = None) -> Iterator[Check]:
    """Yields each check when it is done. Where a file is missing or damaged, graphs and answers are not tried.

    Raises FileNotFoundError where there is no folder, or no checkpoint to compare with.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; name the folder of an exported model")
    try:
        manifest = _read(folder / MANIFEST)
    except ValueError as error:
        yield Check(False, f"{MANIFEST}: {error}; export the model again")
        return
    yield Check(True, f"{MANIFEST}: {manifest['id']}, revision {manifest['revision']}")
    files = [_file(folder / name, name, digest) for name, digest in manifest["sha256"].items()]
    yield from files
    yield from _unknown_files(folder, manifest["sha256"])
    if not all(check.passed for check in files):
        yield Check(False, "graphs and answers were not tried; export the model again, or fetch it anew")
        return
    yield from _works(folder, manifest)
    if against:
        yield from _parity(folder, manifest, against)


def _read(path: Path) -> dict:
    """The manifest; raises ValueError where the other checks could not use it."""
    if not path.is_file():
        raise ValueError("the file is missing, and a folder without it promises nothing to verify")
    manifest = read_json(path)
    versions = {"format": FORMAT, "prompt_contract": PROMPT_CONTRACT}
    for key, value in versions.items():
        if not isinstance(manifest, dict) or manifest.get(key) != value:
            raise ValueError(f"`{key}` is not {value}")
    hashes = manifest.get("sha256")
    if not isinstance(hashes, dict) or manifest.get("revision") != revision(hashes):
        raise ValueError("`revision` does not belong to the files of `sha256`")
    if manifest.get("role") not in tuple(ROLES) or not manifest.get("id"):
        raise ValueError(f"`id` is missing, or `role` is none of {', '.join(ROLES)}")
    for name, is_allowed in LISTS.items():
        values = manifest.get(name)
        if not isinstance(values, list) or not values or not all(is_allowed(value) for value in values):
            raise ValueError(f"`{name}` is no list of them: {values}")
        if manifest.get(f"default_{name[:-1]}") not in values:
            raise ValueError(f"`default_{name[:-1]}` is none of `{name}`")
    layers = _attention_layers(manifest)
    if "attention" in manifest and not (layers and all(type(layer) is int and layer >= 0 for layer in layers)):
        raise ValueError(f"`attention.layers` is no list of layers, from 0: {manifest['attention']}")
    return manifest


def _attention_layers(manifest: dict) -> list[int]:
    """The layers whose attention the decoder gives; empty where it gives none."""
    attention = manifest.get("attention")
    layers = attention.get("layers") if isinstance(attention, dict) else None
    return layers if isinstance(layers, list) else []


def _file(path: Path, name: str, digest: str) -> Check:
    """Whether the file has this sha256."""
    if not path.is_file():
        return Check(False, f"{name}: the file is missing")
    found = sha256(path)
    if found != digest:
        return Check(False, f"{name}: the file is damaged, its sha256 is {found}, not {digest}")
    return Check(True, f"{name}: sha256")


def _unknown_files(folder: Path, hashes: dict[str, str]) -> Iterator[Check]:
    """A failed check for each file that the manifest does not name. A model's card is for people, who change it."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(found - set(hashes) - {MANIFEST, CARD}):
        yield Check(False, f"{name}: {MANIFEST} does not name this file; remove it")


def _works(folder: Path, manifest: dict) -> Iterator[Check]:
    """Whether the graphs load in each precision, and answer a page with finite logits at each resolution."""
    processor = load_processor(folder)
    for precision in manifest["precisions"]:
        loaded: list[OnnxModel] = []
        yield _attempt(f"{precision}: graphs load", partial(_load, loaded, folder, PRECISIONS[precision]))
        if loaded and (layers := _attention_layers(manifest)):
            attend = partial(_attend, loaded[0], processor, layers)
            yield _attempt(f"{precision}: attention of layers {', '.join(map(str, layers))}", attend)
        for resolution in manifest["resolutions"] if loaded else []:
            answer = partial(_answer, loaded[0], processor, ROLES[manifest["role"]], resolution)
            yield _attempt(f"{precision}: a page at {resolution} pixels", answer)


def _load(into: list[OnnxModel], folder: Path, suffix: str) -> None:
    into.append(OnnxModel(folder, suffix))


def _answer(onnx_model: OnnxModel, processor: Idefics3Processor, prompt: Callable[[str], str], resolution: int) -> str:
    """Answers a page by greedy decoding, without a grammar; raises ValueError for logits that are not finite."""
    page, _ = dataset.make_page(dataset.HELD_OUT_SEED, 0)
    made = make_prompt(processor, [page.image], prompt(page.questions[0].text), resolution)
    embeds = onnx_model.prompt(made.ids, made.tiles, processor.image_token_id)
    tokens, logits = onnx_model.generate(embeds, {processor.tokenizer.eos_token_id}, NEW_TOKENS)
    if not np.all(np.isfinite(logits)):
        raise ValueError("logits are not finite")
    return f"{len(made.tiles)} tiles, {len(tokens)} tokens, logits within {np.abs(logits).max():.1f}"


def _attend(onnx_model: OnnxModel, processor: Idefics3Processor, layers: list[int]) -> None:
    """Raises ValueError where the decoder does not give these layers' attention over a page, which sums to 1."""
    if not onnx_model.gives_attention:
        raise ValueError("the graph gives no attention; export the model again")
    page, _ = dataset.make_page(dataset.HELD_OUT_SEED, 0)
    tile = processor.image_processor.max_image_size["longest_edge"]
    made = make_prompt(processor, [page.image], target_prompt(page.questions[0].text), tile)
    found = onnx_model.attention(onnx_model.prompt(made.ids, made.tiles, processor.image_token_id))
    if found.shape != (1, len(layers), made.ids.shape[1]) or not np.allclose(found.sum(axis=-1), 1, atol=1e-2):
        raise ValueError(f"attention {found.shape} sums to {found.sum(axis=-1).tolist()}, not to 1")


def _parity(folder: Path, manifest: dict, against: Against) -> Iterator[Check]:
    """Compares the graphs with torch again. Boxes and answers on pages were compared when the folder was made."""
    with open_checkpoint(against.checkpoint, against.base) as (model, processor, _):
        cases = expected(model.eval(), processor, layers=_attention_layers(manifest))
    for precision in manifest["precisions"]:
        yield _attempt(f"{precision}: parity", partial(_compare, cases, folder, precision, against))


def _compare(cases: list[Expected], folder: Path, precision: str, against: Against) -> dict:
    onnx_model = OnnxModel(folder, PRECISIONS[precision])
    return check_precision(precision, cases, onnx_model, against.tolerance, against.floor)


def _attempt(name: str, check: Callable[[], object]) -> Check:
    """A check that passes unless it raises. Every error counts: onnxruntime has a dozen kinds, without a common one."""
    try:
        found = check()
    except Exception as error:
        return Check(False, f"{name}: {_first_line(error)}")
    return Check(True, name if found is None else f"{name}: {found}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
