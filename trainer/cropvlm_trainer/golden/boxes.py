"""The model `tiny-box`, which has learnt by heart to answer with boxes, and the goldens of its answers.

Some of the answers that it learns are not valid boxes. Training gives slightly different weights on different
processors, so these files, unlike the other goldens, are the same bytes only on machines of the same kind.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.contract import END_OF_UTTERANCE, cropper_prompt, format_box, parse_box
from cropvlm_trainer.data.synth.test_patterns import FORMULAS, pattern_image
from cropvlm_trainer.export.export import export_model
from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.golden.generate import MADE_BY, answer
from cropvlm_trainer.idefics3.checkpoint import load_processor, save_checkpoint
from cropvlm_trainer.idefics3.forward import Batch, answer_loss
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.idefics3.prompts import PromptBuilder, PromptEncoder, prompt_grid

STEPS = 300
EXAMPLES, ONE_TILE = 36, 24
"""The number of examples to learn, and of those whose image is a single tile."""
QUESTIONS = ["What is the total?", "What number is under the red circle?", "Où est l'étoile?", "7"]
SIZES = [(64, 64), (300, 200), (90, 400), (1000, 100)]
INVALID = [" [80, 10, 20, 90].", " [10, 20, 30].", " I do not know.", " [5, 5, 101, 50]."]


def write_boxes(out: Path, seed: int) -> dict:
    """Trains the model, exports it to `out`/models/tiny-box, and returns the golden.

    Raises ValueError where the model has not learnt nine of ten answers.
    """
    model, examples = tiny_model(seed), _examples(seed)
    training = {"base": None, "data": "golden patterns", "recipe": "by heart", "steps": STEPS, "seed": seed}
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = Path(scratch)
        save_checkpoint(model, TINY, tiny_tokenizer(), checkpoint, training)
        processor = load_processor(checkpoint)
        _learn(model, [_batch(some, PromptEncoder(processor)) for some in (examples[:ONE_TILE], examples[ONE_TILE:])])
        files = out / "models" / "tiny-box"
        export_model(model, processor, checkpoint, files, role="cropper", model_id="tiny-box")
    return {"made_by": MADE_BY, "formula": FORMULAS, "model": "tiny-box", "cases": _cases(model, processor, examples)}


def _examples(seed: int) -> list[dict]:
    """Returns examples that go through patterns, sizes and questions in turn, each with a random answer.

    The images of the first ONE_TILE examples have one tile, those of the others 2 x 2 tiles and the global view. One
    answer in eight is not a valid box.
    """
    random, examples = np.random.default_rng(seed), []
    for i in range(EXAMPLES):
        many = i >= ONE_TILE
        width, height = SIZES[i // 3 % (2 if many else len(SIZES))]
        shown = {"pattern": list(FORMULAS)[i % len(FORMULAS)], "width": width, "height": height}
        shown |= {"longest_edge": TINY.tile * (2 if many else 1)}
        shown |= {"question": QUESTIONS[(i + i // 12) % len(QUESTIONS)], "kind": "cropper"}
        x1, y1 = random.integers(0, 80, 2)
        box = (x1, y1, random.integers(x1 + 1, 101), random.integers(y1 + 1, 101))
        examples.append(shown | {"answer": INVALID[i // 8 % len(INVALID)] if i % 8 == 7 else format_box(box)})
    return examples


def _batch(examples: list[dict], encode: PromptEncoder) -> Batch:
    """Returns a batch of examples, whose images must all have the same number of tiles."""
    rows, pixels = [], []
    for example in examples:
        image = pattern_image(example["pattern"], example["width"], example["height"])
        pixels.append(tiles(image, example["longest_edge"], TINY.tile))
        grid = prompt_grid(image, example["longest_edge"], TINY.tile)
        prompt = encode(cropper_prompt(example["question"]), [grid])
        answer_ids = encode.tokenizer(example["answer"] + END_OF_UTTERANCE, add_special_tokens=False)["input_ids"]
        rows.append((prompt + answer_ids, len(prompt)))
    ids, labels = PromptBuilder(tiny_tokenizer(), TINY.tokens_per_tile).collate(rows)
    together = torch.from_numpy(np.concatenate(pixels))
    return Batch(together, torch.arange(len(together)).reshape(len(examples), -1), ids, labels)


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


def _cases(model: Idefics3ForConditionalGeneration, processor, examples: list[dict]) -> list[dict]:
    """Returns the golden's cases: the examples, and variations of them that the model has not learnt.

    The variations have another question and resolution, or another size.
    """
    encode, cases = PromptEncoder(processor), []
    learnt = [{key: value for key, value in example.items() if key != "answer"} for example in examples]
    varied = [
        case | {"longest_edge": TINY.tile * (1, 2, 4)[i % 3], "question": QUESTIONS[i % len(QUESTIONS)]}
        for i, case in enumerate(learnt)
    ]
    varied += [case | {"width": case["width"] + 3, "height": case["height"] - 2} for case in learnt]
    for case in learnt + [case for case in varied if case not in learnt]:
        found = answer(model, processor, encode, case)
        if found:
            text = processor.tokenizer.decode(found["tokens"], skip_special_tokens=True)
            cases.append(case | found | {"text": text, "box": parse_box(text)})
    return cases
