"""The gradients of a whole batch, over micro-batches and processes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.grpo.step import Rollout, Step, StepOutcome
from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.metrics.own_measure import asked_question
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.training.stages import GrpoConfig

T = TypeVar("T")
U = TypeVar("U")


def accumulate_gradients(
    config: GrpoConfig,
    accelerator: Accelerator,
    policy: Policy,
    compute_loss: Step,
    rows: Sequence[dict],
    examples: Iterator[Example],
    index: int,
    watch: Callable[[Sequence[dict], Sequence[Example], StepOutcome], None] | None = None,
) -> dict[str, float]:
    """Adds up the gradients of the whole batch in `policy.trained_parameters`, over all processes.

    - `compute_loss`: as `prepare` makes it. Where another model's rewards are waited for, the boxes of
      `config.rollouts_ahead` further micro-batches are drawn meanwhile: all by the same weights, and what is added up
      is the same, in the same order;
    - `rows`: this process's share of the batch; `examples`: gives the rows' examples, in order;
    - `index`: how many steps came before; it seeds the draws;
    - `watch`: if given, gets each micro-batch's rows and examples, and what was drawn for them.

    Returns the mean of each scalar for the log.
    """
    compute_loss.drawn.clear()
    collected: dict[str, list[torch.Tensor]] = defaultdict(list)
    starts = range(0, len(rows), config.micro_batch)
    micro_batches = [rows[start : start + config.micro_batch] for start in starts]

    def finish(micro_batch: Sequence[dict], own: Sequence[Example], rollout: Rollout) -> None:
        with naming_rows(micro_batch, index), accelerator.autocast():
            loss, scalars = compute_loss.finish(rollout)
        # The loss is a mean over the micro-batch. Weighted by its size, the losses of all micro-batches and processes
        # add up to the mean over the batch.
        (loss * len(micro_batch) / config.batch).backward()
        for name, value in {"loss": loss.detach(), **scalars}.items():
            collected[name].append(value.float().to(accelerator.device))
        if watch is not None:
            watch(micro_batch, own, compute_loss.outcome)

    drawn: deque[tuple[Sequence[dict], Sequence[Example], Rollout]] = deque()
    most = config.rollouts_ahead if compute_loss.overlaps else 0
    for micro_batch in micro_batches:
        generators = [torch.Generator().manual_seed(draw_seed(config.seed, index, row["id"])) for row in micro_batch]
        with naming_rows(micro_batch, index), accelerator.autocast():
            own = [next(examples) for _ in micro_batch]
            drawn.append((micro_batch, own, compute_loss.draw(own, generators)))
        if len(drawn) > most:
            finish(*drawn.popleft())
    while drawn:
        finish(*drawn.popleft())
    _sum_gradients(accelerator, policy)
    return _means(accelerator, collected)


@contextmanager
def naming_rows(rows: Sequence[dict], index: int) -> Iterator[None]:
    """Within it, an error is given a note that names these rows. `index`: how many steps came before."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in step {index + 1}, with the rows {', '.join(row['id'] for row in rows)}")
        raise


def repeat_gradients(
    config: GrpoConfig, accelerator: Accelerator, policy: Policy, compute_loss: Step
) -> dict[str, float]:
    """Like `accumulate_gradients`, but for a further update with what was drawn there."""
    collected: dict[str, list[torch.Tensor]] = defaultdict(list)
    for drawn in compute_loss.drawn:
        with accelerator.autocast():
            loss, scalars = compute_loss.again(drawn)
        (loss * len(drawn.prompts) / config.batch).backward()
        for name, value in scalars.items():
            collected[name].append(value.float().to(accelerator.device))
    _sum_gradients(accelerator, policy)
    return _means(accelerator, collected)


def _sum_gradients(accelerator: Accelerator, policy: Policy) -> None:
    # `reduce` waits for all processes, so each calls it for every parameter, also for one without a gradient here.
    for parameter in policy.trained_parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        parameter.grad = accelerator.reduce(parameter.grad, reduction="sum")


def examples_ahead(config: GrpoConfig, tile: int, rows: Sequence[dict], most: int) -> Generator[Example, None, None]:
    """Yields the example of each row, in order, with the tiles that the policy and the reward VLM need.

    `config.workers` threads prepare a question each. `most`: how many questions are in memory ahead of the one that
    was asked for last. Closed, it ends the threads.
    `tile`: edge in pixels. Raises what `open_picture` raises.
    """
    edges = {config.resolution, config.reward_resolution} if isinstance(config.reward, str) else {config.resolution}

    def prepared(row: dict) -> Example:
        example = to_example(row, config.data.parent)
        for edge in edges:
            # Kept in the example: the policy and the reward VLM find them there.
            example.tiles(edge, tile)
        return example

    return ahead(prepared, rows, config.workers, most)


def ahead(function: Callable[[T], U], items: Sequence[T], workers: int, most: int) -> Generator[U, None, None]:
    """Yields `function` of each item, in order; so many threads work on the `most` next ones, with 0 the calling one.

    Closed, it ends the threads.
    """
    if not workers:
        yield from map(function, items)
        return
    pool = ThreadPoolExecutor(workers)
    try:
        running = deque(pool.submit(function, item) for item in items[:most])
        for index in range(len(items)):
            found = running.popleft().result()
            if index + most < len(items):
                running.append(pool.submit(function, items[index + most]))
            yield found
    finally:
        pool.shutdown(cancel_futures=True)


def to_example(row: dict, folder: Path) -> Example:
    """A manifest's row with its image read, whose path is relative to `folder`."""
    image = open_picture(folder / row["image"])
    asked = {"source": row.get("source"), "options": row.get("options"), "asked": asked_question(row)}
    return Example(image, row["question"], row["answers"], **asked)


def draw_seed(seed: int, index: int, name: str) -> int:
    """A seed of 63 bits for what one step of a run draws.

    `index`: how many steps came before. `name`: what is drawn, a row's id for its boxes or `dropout/PROCESS`.
    """
    return int.from_bytes(sha256(f"{seed}/{index}/{name}".encode()).digest()[:8]) >> 1


def _means(accelerator: Accelerator, collected: dict[str, list[torch.Tensor]]) -> dict[str, float]:
    """The mean of each scalar over micro-batches and processes.

    Every micro-batch counts the same. One may lack a scalar (`area`, where it has no valid box); the mean is over those
    that have it. A process may lack one in all its micro-batches, so the processes first agree on the names; otherwise
    `reduce` would wait for a process that does not call it.
    """
    means = {}
    for name in sorted(set(gather_object(list(collected)))):
        values = collected.get(name, [])
        pair = torch.tensor([float(sum(v.item() for v in values)), float(len(values))], device=accelerator.device)
        total, count = accelerator.reduce(pair, reduction="sum").tolist()
        means[name] = total / count
    return means
