"""Goldens of whole answers: the tokens that transformers' greedy `generate` gives with the tiny random model."""

from collections.abc import Iterator

import torch
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.contract import cropper_prompt, target_prompt
from cropvlm_trainer.data.synth.test_patterns import FORMULAS, pattern_image

NEW_TOKENS = 24
MIN_MARGIN = 1e-3
"""The least difference of the best two logits at each step of a case that is kept."""
NOISE = 1
"""The change of pixels, of 255, under which the tokens of a case that is kept stay the same."""
WANTED = 64
"""Cases in the golden."""

SIZES = [(64, 64), (37, 11), (300, 200), (640, 480), (90, 400), (1, 1), (257, 129), (1000, 100)]
CROPS = [(30, 50), (200, 40), (64, 64)]
QUESTIONS = [
    "What is the total?",
    "what number is UNDER the red Circle?",
    "Où est l'Étoile?",
    "Is <image> or <end_of_utterance> written here?",
    "7",
    "ما هو المجموع؟ 🙂",
    "  many   spaces\n\tand lines ",
]
MADE_BY = (
    f"transformers' Idefics3Processor and model.generate(do_sample=False, max_new_tokens={NEW_TOKENS}) in fp32; "
    "the end token is in `tokens` where it came. A target's second image is `crop`; both are resized to longest_edge. "
    f"Kept: cases whose best two logits differ by more than {MIN_MARGIN} at each step (`min_margin` is the smallest), "
    f"and whose tokens stay when pixels change by up to {NOISE}/255."
)


def generate(model: Idefics3ForConditionalGeneration, processor: Idefics3Processor, encode) -> dict:
    """Returns the golden. `encode(text, grids)` returns a prompt's ids, as `PromptEncoder` does."""
    tile, cases = model.config.vision_config.image_size, []
    for case in candidates(tile):
        found = answer(model, processor, encode, case)
        if found:
            cases.append(case | found)
        if len(cases) == WANTED:
            break
    return {"made_by": MADE_BY, "formula": FORMULAS, "model": "tiny", "cases": cases}


def candidates(tile: int) -> Iterator[dict]:
    """Yields cases without answers, which go through kinds, sizes, resolutions and questions at different periods."""
    patterns = list(FORMULAS)
    for i in range(10 * WANTED):
        width, height = SIZES[i % len(SIZES)]
        case = {"pattern": patterns[(i // 3) % len(patterns)], "width": width, "height": height}
        case |= {"longest_edge": tile * (1, 2, 1, 4, 2)[i % 5], "question": QUESTIONS[i % len(QUESTIONS)]}
        case |= {"kind": "target" if i % 3 == 2 else "cropper"}
        if case["kind"] == "target":
            width, height = CROPS[(i // 3) % len(CROPS)]
            case |= {"crop": {"pattern": patterns[i % len(patterns)], "width": width, "height": height}}
        yield case


@torch.no_grad()
def answer(model: Idefics3ForConditionalGeneration, processor: Idefics3Processor, encode, case: dict) -> dict | None:
    """Returns the prompt's length, the answer's tokens and the least margin between the best two logits.

    None where the tokens depend on so little that another arithmetic could change them.
    """
    shown = [case, case["crop"]] if "crop" in case else [case]
    images = [pattern_image(one["pattern"], one["width"], one["height"]) for one in shown]
    made = processor.image_processor(
        [images], size={"longest_edge": case["longest_edge"]}, return_tensors="pt", return_row_col_info=True
    )
    prompt = cropper_prompt if case["kind"] == "cropper" else target_prompt
    ids = torch.tensor([encode(prompt(case["question"]), list(zip(made["rows"][0], made["cols"][0], strict=True)))])
    pixels = made["pixel_values"]
    tokens, margin = _greedy(model, ids, pixels)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(-NOISE, NOISE + 1, pixels.shape, generator=generator) * 2 / 255
    if margin <= MIN_MARGIN or _greedy(model, ids, (pixels + noise).clamp(-1, 1))[0] != tokens:
        return None
    return {"prompt_tokens": ids.shape[1], "tokens": tokens, "min_margin": round(margin, 4)}


def _greedy(
    model: Idefics3ForConditionalGeneration, ids: torch.Tensor, pixels: torch.Tensor
) -> tuple[list[int], float]:
    """Returns the greedy tokens, and the least difference of the best two logits over the steps."""
    made = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        pixel_values=pixels,
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        return_dict_in_generate=True,
        output_logits=True,
    )
    best = torch.cat(made.logits).topk(2, dim=-1).values
    return made.sequences[0, ids.shape[1] :].tolist(), float((best[:, 0] - best[:, 1]).min())
