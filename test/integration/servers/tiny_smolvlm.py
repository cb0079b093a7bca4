"""A tiny SmolVLM (Idefics3): the real one's files and architecture, a few small layers, random weights.

One thing in it is not random: the head is made so that an answer is always `ANSWER`, then the token that ends a turn. A
test can so tell an answer from an answer that was cut, whatever the server.
"""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import torch
from transformers import AutoConfig, AutoTokenizer, GenerationConfig, Idefics3ForConditionalGeneration, PretrainedConfig

ANSWER = " The total is 482."
"""Each of its tokens occurs once, so that a token says which one comes next."""
WIDTH = 64
SEED = 7
COPIED = (
    "added_tokens.json",
    "chat_template.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


def tiny_config(files: Path) -> PretrainedConfig:
    """Returns the configuration of the checkpoint folder `files` with every width and depth cut down."""
    config = AutoConfig.from_pretrained(files)
    text, vision = config.text_config, config.vision_config
    text.hidden_size, text.intermediate_size, text.num_hidden_layers = WIDTH, 96, 2
    text.num_attention_heads, text.num_key_value_heads, text.head_dim = 4, 2, 16
    vision.hidden_size, vision.intermediate_size = 32, 64
    vision.num_hidden_layers, vision.num_attention_heads = 1, 2
    config.dtype = text.dtype = vision.dtype = torch.float32
    return config


def make_model(files: Path) -> Idefics3ForConditionalGeneration:
    """Returns the tiny model; the same weights at each call."""
    torch.manual_seed(SEED)
    model = Idefics3ForConditionalGeneration(tiny_config(files)).float().eval()
    model.generation_config = GenerationConfig.from_pretrained(files)
    tokenizer = AutoTokenizer.from_pretrained(files)
    # the last token of a prompt ("Assistant:"), the answer's, and the one that ends a turn
    chain = tokenizer.encode(":" + ANSWER + "<end_of_utterance>")
    if len(set(chain)) < len(chain):
        raise ValueError(f"a token occurs twice in {tokenizer.convert_ids_to_tokens(chain)}: ANSWER has to be another")
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    with torch.no_grad():
        # the embeddings dominate what the small layers add, and so the last token decides
        embedding.normal_()
        for token, following in itertools.pairwise(chain):
            head[following] = embedding[token]
    return model


def save_model(files: Path, out: Path) -> None:
    """Writes the tiny model to the folder `out`, in the hub's layout, with the checkpoint's own tokenizer."""
    make_model(files).save_pretrained(out)
    for name in COPIED:
        shutil.copyfile(files / name, out / name)
    # one tile a picture instead of up to 17
    file = out / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"size": {"longest_edge": 512}}))
