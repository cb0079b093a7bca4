"""transformers as a peer of `npm run bench`: one model in one process that answers over stdin and stdout.

    python trainer/bench/peer.py CHECKPOINT --dtype fp32|bf16|fp16 [--device cpu|cuda] [--attention sdpa|eager]

As the method's reference code runs a model: processor, then `model.generate`, in PyTorch's eager mode. The first line
out is `{"ready": true, ...}`. Then a line in, a line out: `{"image": PATH, "question", "resolution", "new_tokens"}` ->
`{"total_ms", "stages", "tokens", "prompt_tokens", "tiles"}`; stages in milliseconds, total from the file on.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time
from pathlib import Path

import torch
import transformers
from PIL import Image, ImageOps
from transformers import AutoProcessor, Idefics3ForConditionalGeneration

from cropvlm_trainer.contract import cropper_prompt

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Peer:
    def __init__(self, checkpoint: Path, dtype: str, device: str, attention: str) -> None:
        self.device = device
        self.processor = AutoProcessor.from_pretrained(checkpoint)
        self.model = Idefics3ForConditionalGeneration.from_pretrained(
            checkpoint, dtype=DTYPES[dtype], attn_implementation=attention
        )
        self.model.to(device).eval()
        self.vision_s = 0.0
        self.prefilled: float | None = None
        self._clock_vision()
        self.model.register_forward_hook(self._after_forward)

    @torch.inference_mode()
    def ask(self, image: str, question: str, resolution: int, new_tokens: int) -> dict:
        """One box's worth of tokens: exactly `new_tokens`, whatever the (random) model would have said."""
        self.vision_s, self.prefilled = 0.0, None
        start = self._now()
        picture = ImageOps.exif_transpose(Image.open(image)).convert("RGB")
        decoded = self._now()
        content = [{"type": "image"}, {"type": "text", "text": cropper_prompt(question)}]
        prompt = self.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        inputs = self.processor(
            text=prompt, images=[picture], size={"longest_edge": resolution}, return_tensors="pt"
        ).to(self.device)
        ready = self._now()
        made = self.model.generate(**inputs, do_sample=False, min_new_tokens=new_tokens, max_new_tokens=new_tokens)
        length = inputs["input_ids"].shape[1]
        self.processor.batch_decode(made[:, length:], skip_special_tokens=True)
        end = self._now()
        stages = {
            "decode": decoded - start,
            "preprocess": ready - decoded,
            "vision": self.vision_s,
            "prefill": self.prefilled - ready - self.vision_s,
            "generate": end - self.prefilled,
        }
        return {
            "total_ms": 1000 * (end - start),
            "stages": {stage: 1000 * seconds for stage, seconds in stages.items()},
            "tokens": made.shape[1] - length,
            "prompt_tokens": length,
            "tiles": inputs["pixel_values"].shape[1],
        }

    def _clock_vision(self) -> None:
        inner = self.model.model.get_image_features

        @functools.wraps(inner)
        def clocked(*args, **kwargs):
            start = self._now()
            features = inner(*args, **kwargs)
            self.vision_s += self._now() - start
            return features

        self.model.model.get_image_features = clocked

    def _after_forward(self, *_) -> None:
        if self.prefilled is None:
            self.prefilled = self._now()

    def _now(self) -> float:
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--dtype", choices=DTYPES, default="fp32")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--attention", choices=("sdpa", "eager"), default="sdpa")
    args = parser.parse_args()
    # The protocol's alone: what a library prints goes to the log.
    out, sys.stdout = sys.stdout, sys.stderr

    def say(line: dict) -> None:
        print(json.dumps(line), file=out, flush=True)

    peer = Peer(args.checkpoint, args.dtype, args.device, args.attention)
    version = f"transformers {transformers.__version__}, torch {torch.__version__}"
    say({"ready": True, "version": version, "threads": torch.get_num_threads()})
    for line in sys.stdin:
        say(peer.ask(**json.loads(line)))


if __name__ == "__main__":
    main()
