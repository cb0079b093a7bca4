"""`tiny-box`: the tiny model taught by heart to answer with boxes, so that free decoding gives some, and their goldens.

A few of the answers that it learns are no valid boxes. Training differs between processors in the last bits, so
these files, unlike the other goldens, are the same bytes only on the same kind of machine.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoProcessor, Idefics3ForConditionalGeneration

from cropvlm_trainer.contract import cropper_prompt, format_box, parse_box
from cropvlm_trainer.export import export
from cropvlm_trainer.fixture import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.forward import Batch, PromptBuilder, answer_loss
from cropvlm_trainer.golden.generate import MADE_BY, answer
from cropvlm_trainer.golden.prompts import PromptEncoder
from cropvlm_trainer.image_processing import tiles
from cropvlm_trainer.model import save_checkpoint
from cropvlm_trainer.patterns import FORMULAS, pattern_image

STEPS = 400
QUESTIONS = ["What is the total?", "What number is under the red circle?", "Où est l'étoile?", "7"]
SIZES = [(64, 64), (300, 200), (90, 400), (1000, 100)]
INVALID = [" [80, 10, 20, 90].", " [10, 20, 30].", " I do not know.", " [5, 5, 101, 50]."]


def write_boxes(out: Path, seed: int) -> dict:
    """Trains, exports to `out`/models/tiny-box, and gives the golden."""
    model = tiny_model(seed)
    lessons = _lessons(seed)
    _learn(model, lessons)
    with tempfile.TemporaryDirectory() as scratch:
        training = {"base": None, "data": "golden patterns", "recipe": "by heart", "steps": STEPS, "seed": seed}
        save_checkpoint(model, TINY, tiny_tokenizer(), Path(scratch), training)
        export(Path(scratch), out / "models" / "tiny-box", role="cropper", model_id="tiny-box")
        processor = AutoProcessor.from_pretrained(scratch)
    return {"made_by": MADE_BY, "formula": FORMULAS, "model": "tiny-box", "cases": _cases(model, processor, lessons)}


def _lessons(seed: int) -> list[dict]:
    """Each pattern, size and question once, with an answer drawn for it; one in eight is not a valid box."""
    random, lessons = np.random.default_rng(seed), []
    for i in range(48):
        width, height = SIZES[i // 3 % len(SIZES)]
        case = {"pattern": list(FORMULAS)[i % len(FORMULAS)], "width": width, "height": height}
        case |= {"longest_edge": TINY.tile, "question": QUESTIONS[(i + i // 12) % len(QUESTIONS)], "kind": "cropper"}
        x1, y1 = random.integers(0, 80, 2)
        box = (x1, y1, random.integers(x1 + 1, 101), random.integers(y1 + 1, 101))
        lessons.append(case | {"answer": INVALID[i // 8 % len(INVALID)] if i % 8 == 7 else format_box(box)})
    return lessons


def _learn(model: Idefics3ForConditionalGeneration, lessons: list[dict]) -> None:
    prompts = PromptBuilder(tiny_tokenizer(), TINY.tokens_per_tile)
    pictures = [pattern_image(case["pattern"], case["width"], case["height"]) for case in lessons]
    pixels = torch.from_numpy(np.concatenate([tiles(picture, TINY.tile, TINY.tile) for picture in pictures]))
    ids, labels = prompts.collate([prompts.encode(1, cropper_prompt(c["question"]), c["answer"]) for c in lessons])
    batch = Batch(pixels, torch.arange(len(lessons))[:, None], ids, labels)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, STEPS)
    model.train()
    for _ in range(STEPS):
        loss, right = answer_loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    if right.float().mean() < 0.9:
        raise ValueError(f"tiny-box knows only {int(right.sum())} of {len(right)} answers; raise STEPS in {__name__}")


def _cases(model: Idefics3ForConditionalGeneration, processor, lessons: list[dict]) -> list[dict]:
    """What it learnt, and the same pictures with other questions and resolutions, where it has to guess."""
    encode, cases = PromptEncoder(processor), []
    learnt = [{key: value for key, value in lesson.items() if key != "answer"} for lesson in lessons]
    guesses = [
        case | {"longest_edge": TINY.tile * (1, 2, 4)[i % 3], "question": QUESTIONS[i % len(QUESTIONS)]}
        for i, case in enumerate(learnt)
    ]
    for case in learnt + [guess for guess in guesses if guess not in learnt]:
        found = answer(model, processor, encode, case)
        if found:
            text = processor.tokenizer.decode(found["tokens"], skip_special_tokens=True)
            cases.append(case | found | {"text": text, "box": parse_box(text)})
    return cases
