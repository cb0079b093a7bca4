"""`data seed --method best-of`: of the boxes that a cropper draws, the one that helps the reward VLM most to answer.

A second round of SFT learns from them what the cropper finds by chance (rejection sampling). Each row's result is kept
in a file as soon as it is found, so that a run that was killed goes on where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from cropvlm_trainer.boxes import WHOLE
from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.contract import cropper_prompt
from cropvlm_trainer.data.columns import Rejection
from cropvlm_trainer.data.seed.arguments import BEST_OF
from cropvlm_trainer.data.seed.grid import row_key
from cropvlm_trainer.data.seed.rows import check_some, seedable_rows, seeded, sort_out, write_rejected
from cropvlm_trainer.files import sha256_of, to_lines, write_whole
from cropvlm_trainer.idefics3.adapter import find_base, open_for_inference, weight_files
from cropvlm_trainer.idefics3.checkpoint import ADAPTER
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.generation import decode_boxes, prefill, sample
from cropvlm_trainer.idefics3.prompts import PromptEncoder, prompt_grid
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel
from cropvlm_trainer.metrics.own_measure import asked_question
from cropvlm_trainer.pictures import open_picture

BATCH = 16
"""Questions whose boxes are drawn in one pass."""
MAX_TOKENS = 32
"""Tokens of a drawn box, the end token included."""


def seed_best_of(args: argparse.Namespace) -> None:
    """Writes the rows of `--manifest` to `--out`, each with the best of the boxes that `--cropper` draws.

    Rows go to `.rejected.jsonl` where no box is valid, where none helps more than the full image in place of the crop,
    and where none gives the right answer the log-likelihood `--least`.
    Raises FileNotFoundError for a checkpoint, data set or image that is missing, and ValueError for rows without an
    image, question or answers, for an `--out` that cannot be written, for a `--cropper` that has no base where `--base`
    names none, and where no row gets a box (`check_some`).
    """
    rows = seedable_rows(args.manifest, args.out, ("answers",), args.shard)
    if args.base is None and not (args.cropper / ADAPTER).exists():
        raise ValueError(f"{args.cropper} is no adapter, which would name its base; give the reward model by --base")
    base = args.base or find_base(args.cropper, None)
    draw = BestOf(args.cropper, base, args)
    asked = {"weights": sha256_of(weight_files(args.cropper)), "base": sha256_of(weight_files(base))}
    asked |= {name: getattr(args, name) for name in ("resolution", "draws", "temperature", "seed")}
    cache = AnswerCache(args.out.with_suffix(".kept.jsonl"))
    keys = [row_key(row, asked) for row in rows]
    # Of rows that are equal, one is drawn.
    lacking = [number for key, number in {k: n for n, k in enumerate(keys)}.items() if cache.get(key) is None]
    with tqdm(total=len(rows), initial=len(rows) - len(lacking), desc="best of") as bar:
        for start in range(0, len(lacking), BATCH):
            some = lacking[start : start + BATCH]
            try:
                found = draw([rows[number] for number in some], args.manifest.parent)
            except Exception as error:
                error.add_note(f"in the rows {', '.join(str(rows[n].get('id', n + 1)) for n in some)}")
                raise
            for number, result in zip(some, found, strict=True):
                cache.add(keys[number], json.dumps(result))
            bar.update(len(some))
    done, rejected = sort_out(rows, lambda index, row: _with_box(row, json.loads(cache.get(keys[index])), args.least))
    rejected_path, reasons = write_rejected(args.out, rejected)
    check_some(
        done,
        args.shard,
        f"no row got a box ({reasons}; see {rejected_path}): give a cropper that finds some answers, more --draws, or "
        "a lower --least",
    )
    write_whole(args.out, to_lines(done))
    print(f"{args.out}: {len(done)} of {len(rows)} rows have a box")
    if rejected:
        print(f"  {len(rejected)} rejected ({reasons}; see {rejected_path})")


class BestOf:
    """Draws boxes with a cropper, and scores each by the reward VLM."""

    def __init__(self, cropper: Path, base: Path, args: argparse.Namespace) -> None:
        """`args`: the options of the method. Raises as `open_for_inference`."""
        self.model, processor, self.tile, self.edge = open_for_inference(
            cropper, args.resolution, args.device, "--resolution"
        )
        reward, reward_processor, _, edge = open_for_inference(base, args.resolution, args.device, "--resolution")
        self.encoder = PromptEncoder(processor)
        self.reward = RewardModel(reward, PromptEncoder(reward_processor), edge)
        self.draws, self.temperature, self.seed = args.draws, args.temperature, args.seed

    @torch.no_grad()
    def __call__(self, rows: Sequence[dict], folder: Path) -> list[dict]:
        """For each row `box`, the best valid one or None, its `log_likelihood`, and `whole`, that of the full image."""
        examples = [
            Example(open_picture(folder / row["image"]), row["question"], row["answers"], asked=asked_question(row))
            for row in rows
        ]
        boxes = self._boxes(rows, examples)
        scores = self.reward.log_likelihoods(examples, [[*group, WHOLE] for group in boxes]).tolist()
        return [_best(group, values) for group, values in zip(boxes, scores, strict=True)]

    def _boxes(self, rows: Sequence[dict], examples: Sequence[Example]) -> list[list]:
        """The boxes that are drawn for each example, None where one is not valid."""
        prompts = [
            self.encoder(cropper_prompt(each.question), [prompt_grid(each.image, self.edge, self.tile)])
            for each in examples
        ]
        tiles = torch.cat([each.tiles(self.edge, self.tile) for each in examples]).to(self.model.device)
        prefix = prefill(self.model, prompts, encode_tiles(self.model, tiles), self.encoder.pad)
        completions = sample(
            self.model,
            prefix.repeated(self.draws),
            end=self.encoder.end,
            pad=self.encoder.pad,
            max_new_tokens=MAX_TOKENS,
            temperature=self.temperature,
            suppressed=torch.tensor(self.encoder.undrawn, device=self.model.device),
            generators=[torch.Generator().manual_seed(_draw_seed(self.seed, row)) for row in rows],
        )
        found = [box for _, box in decode_boxes(self.encoder.tokenizer, completions)]
        return [found[start : start + self.draws] for start in range(0, len(found), self.draws)]


def _best(boxes: Sequence, values: Sequence[float]) -> dict:
    *scores, whole = values
    valid = [(score, box) for score, box in zip(scores, boxes, strict=True) if box is not None]
    score, box = max(valid, default=(None, None), key=lambda pair: pair[0])
    return {"box": box, "log_likelihood": score, "whole": whole, "valid": len(valid)}


def _with_box(row: dict, found: dict, least: float | None) -> dict:
    """Returns the row with its box. Raises Rejection where it has none that is good enough."""
    if found["box"] is None:
        raise Rejection("no valid box")
    score = found["log_likelihood"]
    if score <= found["whole"]:
        raise Rejection("no box helps", f"{found['box']} has {score:.4f}, the full image {found['whole']:.4f}")
    if least is not None and score < least:
        raise Rejection("below --least", f"{found['box']} has {score:.4f}")
    how = {"method": BEST_OF, "log_likelihood": round(score, 4), "whole": round(found["whole"], 4)}
    return seeded(row, found["box"], how)


def _draw_seed(seed: int, row: dict) -> int:
    """A seed of 63 bits for a row's draws, which depends on nothing else in the batch."""
    name = f"{seed}/{row['image']}/{row['question']}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 1
