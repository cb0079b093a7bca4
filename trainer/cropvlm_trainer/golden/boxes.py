"""`tiny-box`: the tiny model taught by heart to answer with boxes, so that free decoding gives some, and their goldens.

A few of the answers that it learns are no valid boxes. Training differs between processors in the last bits, so
these files, unlike the other goldens, are the same bytes only on the same kind of machine.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoProcessor, Idefics3ForConditionalGeneration

from cropvlm_trainer.contract import END_OF_UTTERANCE, cropper_prompt, format_box, parse_box
from cropvlm_trainer.data.synth.test_patterns import FORMULAS, pattern_image
from cropvlm_trainer.export.export import export_model
from cropvlm_trainer.golden.fixture import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.golden.generate import MADE_BY, answer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.forward import Batch, PromptBuilder, answer_loss
from cropvlm_trainer.idefics3.image_processing import tile_grid, tiles
from cropvlm_trainer.idefics3.prompts import PromptEncoder

STEPS = 300
LESSONS, ONE_TILE = 36, 24
QUESTIONS = ["What is the total?", "What number is under the red circle?", "Où est l'étoile?", "7"]
SIZES = [(64, 64), (300, 200), (90, 400), (1000, 100)]
INVALID = [" [80, 10, 20, 90].", " [10, 20, 30].", " I do not know.", " [5, 5, 101, 50]."]


def write_boxes(out: Path, seed: int) -> dict:
    """Trains, exports to `out`/models/tiny-box, and gives the golden."""
    model, lessons = tiny_model(seed), _lessons(seed)
    training = {"base": None, "data": "golden patterns", "recipe": "by heart", "steps": STEPS, "seed": seed}
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = Path(scratch)
        save_checkpoint(model, TINY, tiny_tokenizer(), checkpoint, training)
        processor = AutoProcessor.from_pretrained(checkpoint)
        _learn(model, [_batch(some, PromptEncoder(processor)) for some in (lessons[:ONE_TILE], lessons[ONE_TILE:])])
        files = out / "models" / "tiny-box"
        export_model(model, processor, checkpoint, files, role="cropper", model_id="tiny-box")
    return {"made_by": MADE_BY, "formula": FORMULAS, "model": "tiny-box", "cases": _cases(model, processor, lessons)}


def _lessons(seed: int) -> list[dict]:
    """Patterns, sizes and questions in turn, each with an answer drawn for it; one in eight is not a valid box.

    The first ONE_TILE are of one tile, the others of 2 x 2 and the global view.
    """
    random, lessons = np.random.default_rng(seed), []
    for i in range(LESSONS):
        many = i >= ONE_TILE
        width, height = SIZES[i // 3 % (2 if many else len(SIZES))]
        case = {"pattern": list(FORMULAS)[i % len(FORMULAS)], "width": width, "height": height}
        case |= {"longest_edge": TINY.tile * (2 if many else 1)}
        case |= {"question": QUESTIONS[(i + i // 12) % len(QUESTIONS)], "kind": "cropper"}
        x1, y1 = random.integers(0, 80, 2)
        box = (x1, y1, random.integers(x1 + 1, 101), random.integers(y1 + 1, 101))
        lessons.append(case | {"answer": INVALID[i // 8 % len(INVALID)] if i % 8 == 7 else format_box(box)})
    return lessons


def _batch(lessons: list[dict], encode: PromptEncoder) -> Batch:
    """Lessons whose pictures all have the same number of tiles."""
    rows, pixels = [], []
    for case in lessons:
        pixels.append(
            tiles(pattern_image(case["pattern"], case["width"], case["height"]), case["longest_edge"], TINY.tile)
        )
        grid = tile_grid(case["width"], case["height"], case["longest_edge"], TINY.tile)
        prompt = encode(cropper_prompt(case["question"]), [(0, 0) if grid == (1, 1) else grid])
        answer_ids = encode.tokenizer(case["answer"] + END_OF_UTTERANCE, add_special_tokens=False)["input_ids"]
        rows.append((prompt + answer_ids, len(prompt)))
    ids, labels = PromptBuilder(tiny_tokenizer(), TINY.tokens_per_tile).collate(rows)
    together = torch.from_numpy(np.concatenate(pixels))
    return Batch(together, torch.arange(len(together)).reshape(len(lessons), -1), ids, labels)


def _learn(model: Idefics3ForConditionalGeneration, batches: list[Batch]) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, STEPS)
    model.train()
    for _ in range(STEPS):
        losses, right = zip(*(answer_loss(model, batch) for batch in batches), strict=True)
        optimizer.zero_grad()
        sum(losses).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    known = torch.cat([tokens.all(dim=1) for tokens in right])
    if known.float().mean() < 0.9:
        raise ValueError(f"tiny-box knows only {int(known.sum())} of {len(known)} answers; raise STEPS in {__name__}")


def _cases(model: Idefics3ForConditionalGeneration, processor, lessons: list[dict]) -> list[dict]:
    """What it learnt, and the same pictures with the next question, another size or resolution: there it guesses."""
    encode, cases = PromptEncoder(processor), []
    learnt = [{key: value for key, value in lesson.items() if key != "answer"} for lesson in lessons]
    guesses = [
        case | {"longest_edge": TINY.tile * (1, 2, 4)[i % 3], "question": QUESTIONS[i % len(QUESTIONS)]}
        for i, case in enumerate(learnt)
    ]
    guesses += [case | {"width": case["width"] + 3, "height": case["height"] - 2} for case in learnt]
    for case in learnt + [guess for guess in guesses if guess not in learnt]:
        found = answer(model, processor, encode, case)
        if found:
            text = processor.tokenizer.decode(found["tokens"], skip_special_tokens=True)
            cases.append(case | found | {"text": text, "box": parse_box(text)})
    return cases
