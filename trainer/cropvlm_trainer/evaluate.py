"""`cropvlm-train eval`: a cropper and a target on a manifest, with the crops one would compare them to.

Every answer is free greedy decoding by transformers. Beside the cropper's crop: the true box (grown as the
cropper was taught), a random box of the same size elsewhere, the crop alone, and the full image alone.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random

import torch
from PIL import Image
from tqdm import tqdm

from cropvlm_trainer.contract import Box, cropper_prompt, parse_box, target_prompt, to_pixels
from cropvlm_trainer.data.regions import taught_region, to_box
from cropvlm_trainer.image_processing import load_image
from cropvlm_trainer.measures import box_measures, exact_match
from cropvlm_trainer.model import load_checkpoint

BATCH = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.jsonl and images/")
    parser.add_argument("--target", type=Path, required=True, help="checkpoint folder of the target VLM")
    parser.add_argument("--cropper", type=Path, help="checkpoint folder of the cropper")
    parser.add_argument("--limit", type=int, help="only the first rows")
    parser.add_argument("--seed", type=int, default=0, help="of the random boxes")
    parser.add_argument("--out", type=Path, help="JSON file for the scores")


def run(args: argparse.Namespace) -> None:
    rows = read_rows(args.data, args.limit)
    images = [load_image(args.data / row["image"]) for row in tqdm(rows, desc="images")]
    rng = Random(args.seed)
    true = [to_box(taught_region(row["box"])) for row in rows]
    croppings: dict[str, list[Box | None]] = {
        "true box": list(true),
        "random box": [moved(rng, b) for b in true],
    }
    measures = {}
    if args.cropper:
        model, processor = load_checkpoint(args.cropper)
        prompts = [cropper_prompt(row["question"]) for row in rows]
        texts = generate(model, processor, [[image] for image in images], prompts, 24, "boxes")
        found = [parse_box(text) for text in texts]
        croppings["cropper"] = found
        measures = box_measures(found, [row["box"] for row in rows])
    target, processor = load_checkpoint(args.target)
    prompts = [target_prompt(row["question"]) for row in rows]
    scores = {"full image": _score(rows, generate(target, processor, [[i] for i in images], prompts, 16, "full"))}
    for name, boxes in croppings.items():
        crops = [i.crop(to_pixels(b or (0, 0, 100, 100), *i.size)) for i, b in zip(images, boxes, strict=True)]
        pairs = [[image, crop] for image, crop in zip(images, crops, strict=True)]
        scores[f"full image + {name}"] = _score(rows, generate(target, processor, pairs, prompts, 16, name))
        if name == "cropper":
            alone = generate(target, processor, [[c] for c in crops], prompts, 16, "crop alone")
            scores["cropper's crop alone"] = _score(rows, alone)
    print(table(scores))
    if measures:
        print("\nboxes: " + ", ".join(f"{name} {100 * value:.1f} %" for name, value in measures.items()))
    if args.out:
        counts = {"pages": len({row["image"] for row in rows}), "questions": len(rows)}
        report = {"held_out": {**counts, "exact_match": scores, "boxes": measures}}
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(report, indent=2) + "\n")


def read_rows(data: Path, limit: int | None) -> list[dict]:
    """The first rows of a manifest; raises ValueError where there are none or one lacks what is scored."""
    path = data / "manifest.jsonl"
    # Not splitlines: a JSON text may hold U+2028 and its like.
    lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()][:limit]
    rows = [{"kind": "page", **json.loads(line)} for line in lines]
    if not rows:
        raise ValueError(f"{path} has no rows to score")
    for number, row in enumerate(rows, start=1):
        missing = [key for key in ("image", "question", "answers", "box") if not row.get(key)]
        if missing:
            raise ValueError(f"row {number} of {path} has no {' and no '.join(missing)}")
    return rows


@torch.no_grad()
def generate(model, processor, images: list[list[Image.Image]], texts: list[str], limit: int, name: str) -> list[str]:
    """Greedy answers; images of one question in prompt order, each seen at one tile."""
    model.eval()
    edge = model.config.vision_config.image_size
    processor.tokenizer.padding_side = "left"
    answers = []
    for start in tqdm(range(0, len(texts), BATCH), desc=name):
        some = slice(start, start + BATCH)
        prompts = [_prompt(processor, len(i), t) for i, t in zip(images[some], texts[some], strict=True)]
        inputs = processor(
            text=prompts, images=images[some], size={"longest_edge": edge}, padding=True, return_tensors="pt"
        )
        ids = model.generate(**inputs, max_new_tokens=limit, do_sample=False)
        answers += processor.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return answers


def _prompt(processor, images: int, text: str) -> str:
    content = [{"type": "image"}] * images + [{"type": "text", "text": text}]
    return processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)


def moved(rng: Random, box: Box) -> Box:
    """A box of the same size anywhere on the page."""
    w, h = box[2] - box[0], box[3] - box[1]
    x, y = rng.randint(0, 100 - w), rng.randint(0, 100 - h)
    return x, y, x + w, y + h


def table(scores: dict[str, dict[str, float]]) -> str:
    """Exact match in per cent, a Markdown row a cropping."""
    kinds = list(next(iter(scores.values())))
    lines = ["| exact match, % | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for name, row in scores.items():
        lines.append(f"| {name} | " + " | ".join(f"{100 * row[kind]:.1f}" for kind in kinds) + " |")
    return "\n".join(lines)


def _score(rows: list[dict], answers: list[str]) -> dict[str, float]:
    """Exact match over all rows and by kind of page."""
    right = [exact_match(answer, row["answers"]) for row, answer in zip(rows, answers, strict=True)]
    scores = {"all": sum(right) / len(right)}
    for kind in sorted({row["kind"] for row in rows}):
        hits = [hit for hit, row in zip(right, rows, strict=True) if row["kind"] == kind]
        scores[kind] = sum(hits) / len(hits)
    return scores
