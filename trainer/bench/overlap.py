"""Seconds of a GRPO step whose rewards come from a slow endpoint: the policy waits, or goes on meanwhile.

    trainer/.venv/bin/python trainer/bench/overlap.py --out trainer/results/overlap.md

The endpoint is a stand-in on loopback that answers each call after a set time. All variants take the same step, by
turns; it is checked that their gradients are the same, bit for bit.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

import torch
from accelerate import Accelerator
from grpo.work import filled

from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.grpo.accumulate import accumulate_gradients, examples_ahead
from cropvlm_trainer.grpo.reward.endpoint import EndpointAnswers, make_target
from cropvlm_trainer.grpo.reward.rewards import OtherModel
from cropvlm_trainer.grpo.reward.texts import TextAccuracy
from cropvlm_trainer.grpo.train import prepare
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.rows import read_rows
from cropvlm_trainer.training.reward_config import EndpointReward
from cropvlm_trainer.training.stages import GrpoConfig

QUESTIONS = 8
WAITS = "waits for each micro-batch's rewards (before)"


class Server(ThreadingHTTPServer):
    seconds = 0.0
    daemon_threads = True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        time.sleep(self.server.seconds)
        answer = str(hashlib.sha256(body).digest()[0] % 10)
        message = {"role": "assistant", "content": answer}
        reply = json.dumps({"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": message}]})
        self.send_response(200)
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply.encode())


@contextmanager
def slow_endpoint() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Waits:
    """A reward that is waited for where it is asked for."""

    def __init__(self, reward: OtherModel) -> None:
        self.reward, self.scalars = reward, {}

    def __call__(self, examples, boxes) -> dict[str, torch.Tensor]:
        return self.reward(examples, boxes)


class Bench:
    def __init__(self, folder: Path, server: Server) -> None:
        save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), folder / "base", TRAINING)
        dataset.write(folder / "pages", QUESTIONS, 5, questions_per_page=1)
        url = f"http://127.0.0.1:{server.server_port}/v1"
        reward = EndpointReward("endpoint", url, "slow", concurrency=64)
        self.server = server
        self.config = GrpoConfig(
            folder / "base",
            folder / "pages" / "manifest.jsonl",
            folder / "run",
            resolution=64,
            max_new_tokens=8,
            batch=QUESTIONS,
            precision="fp32",
            reward=reward,
        )
        self.accelerator = Accelerator(cpu=True)
        self.policy, self.step = prepare(self.config, self.accelerator.device)
        # Random weights write no boxes; with different ones the endpoint has a call for each.
        parse_boxes = self.step.parse_boxes
        self.step.parse_boxes = lambda completions, count: filled(parse_boxes(completions, count))
        self.rows = read_rows(self.config.data)[:QUESTIONS]

    def seconds(self, ahead: int | None) -> tuple[float, torch.Tensor]:
        """Of one step, and its gradients; `ahead`: `rollouts_ahead`, None: waits."""
        source = EndpointAnswers(make_target(self.config.reward, AnswerCache(None)), None)
        accuracy = TextAccuracy(source, lambda answer, _: int(answer) / 9, corner=False)
        reward = OtherModel(accuracy, "accuracy", self.policy, "full")
        self.step.reward = Waits(reward) if ahead is None else reward
        config = dataclasses.replace(self.config, rollouts_ahead=ahead or 0)
        torch.manual_seed(0)
        started = time.monotonic()
        examples = examples_ahead(config, self.step.tile, self.rows, most=len(self.rows))
        accumulate_gradients(config, self.accelerator, self.policy, self.step, self.rows, examples, 0)
        seconds = time.monotonic() - started
        reward.close()
        gradients = torch.cat([parameter.grad.flatten() for parameter in self.policy.trained_parameters])
        for parameter in self.policy.trained_parameters:
            parameter.grad = None
        return seconds, gradients


def measured(bench: Bench, thinking: float, rounds: int) -> dict[int | None, list[float]]:
    """Seconds of each variant's steps, with an endpoint that thinks so many seconds about each call."""
    bench.server.seconds = thinking
    found: dict[int | None, list[float]] = {None: [], 0: [], 2: [], 7: []}
    first = None
    for _ in range(rounds):
        for ahead, times in found.items():
            seconds, gradients = bench.seconds(ahead)
            times.append(seconds)
            first = gradients if first is None else first
            assert torch.equal(gradients, first) and gradients.abs().sum() > 0
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    with tempfile.TemporaryDirectory() as folder, slow_endpoint() as server:
        bench = Bench(Path(folder), server)
        bench.seconds(None)
        own = median(bench.seconds(None)[0] for _ in range(args.rounds)) / QUESTIONS
        lines = []
        for times in (1, 4):
            found = measured(bench, times * own, args.rounds)
            for ahead, seconds in found.items():
                name = WAITS if ahead is None else f"goes on, `rollouts_ahead` {ahead}"
                ratios = sorted(mine / waiting for mine, waiting in zip(seconds, found[None], strict=True))
                cells = [f"{times} x", name, f"{median(seconds):.2f}"]
                cells.append(f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
                lines.append("| " + " | ".join(cells) + " |")
    where = f"{date.today()}, {os.cpu_count()} shared cores, one thread, load average {load} at the start."
    text = f"""# Rollouts and rewards overlap

`python {" ".join(sys.argv)}`, {where}

A GRPO step of {QUESTIONS} micro-batches of one question, group {GrpoConfig.group}, with a tiny model. The policy's own
part of a micro-batch, with an endpoint that answers at once, takes {own:.2f} s; the endpoint of the table takes so many
times that for each call. Medians of {args.rounds} rounds by turns; all variants' gradients are the same bit for bit
(checked in each round).

| endpoint's time | the policy | seconds a step | of the time that waiting takes (pairs) |
|---|---|---|---|
""" + "".join(line + "\n" for line in lines)
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
