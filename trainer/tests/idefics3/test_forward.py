import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoProcessor

from cropvlm_trainer.contract import answer_text, target_prompt
from cropvlm_trainer.idefics3.checkpoint import save_processor_files
from cropvlm_trainer.idefics3.forward import IGNORE, Batch, answer_loss, encode_tiles, hidden_states, token_loss
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.idefics3.model import Shape, build_model
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.pretrain.train import mini_tokenizer

SHAPE = Shape(
    tile=32, patch=4, shuffle=2, vision_width=32, vision_layers=2, vision_heads=2, text_width=32, text_layers=2
)
QUESTIONS = ("What is the total?", "What number is under the red circle?", "Ça va?")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    tokenizer = mini_tokenizer()
    folder = tmp_path_factory.mktemp("processor")
    save_processor_files(SHAPE, tokenizer, folder)
    model = build_model(SHAPE, tokenizer, seed=0).eval()
    return model, PromptBuilder(tokenizer, SHAPE.tokens_per_tile), AutoProcessor.from_pretrained(folder)


def picture(seed: int, width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_ids_and_logits_equal_transformers(parts):
    model, builder, processor = parts
    full, crops = picture(0, 50, 40), [picture(i, 20, 9 + i) for i in (1, 2, 3)]
    views = torch.from_numpy(np.concatenate([tiles(i, 32, 32) for i in (full, *crops)]))
    rows = [builder.encode(2, target_prompt(q), answer_text("12.50")) for q in QUESTIONS]
    input_ids, labels = builder.collate(rows)
    with torch.no_grad():
        hidden = hidden_states(model, encode_tiles(model, views), torch.tensor([[0, 1], [0, 2], [0, 3]]), input_ids)
        ours = model.lm_head(hidden)
    for row, (question, crop) in enumerate(zip(QUESTIONS, crops, strict=True)):
        content = [{"type": "image"}, {"type": "image"}, {"type": "text", "text": target_prompt(question)}]
        prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        text = prompt + answer_text("12.50") + "<end_of_utterance>"
        inputs = processor(text=[text], images=[[full, crop]], size={"longest_edge": 32}, return_tensors="pt")
        ids = inputs["input_ids"][0]
        assert input_ids[row, : len(ids)].tolist() == ids.tolist()
        with torch.no_grad():
            theirs = model(**inputs).logits[0]
        torch.testing.assert_close(ours[row, : len(ids)], theirs, atol=1e-5, rtol=1e-5)
        answer = labels[row][labels[row] != IGNORE].tolist()
        assert processor.tokenizer.decode(answer) == " 12.50.<end_of_utterance>"


def test_loss_is_the_cross_entropy_of_the_answers_alone(parts):
    model, builder, _ = parts
    rows = [builder.encode(1, target_prompt(q), answer_text("7")) for q in QUESTIONS]
    input_ids, labels = builder.collate(rows)
    batch = Batch(
        torch.from_numpy(tiles(picture(5, 32, 32), 32, 32).copy()),
        torch.zeros(3, 1, dtype=torch.long),
        input_ids,
        labels,
    )
    with torch.no_grad():
        loss, right = answer_loss(model, batch)
        hidden = hidden_states(model, encode_tiles(model, batch.tiles), batch.image_index, input_ids)
        logits = model.lm_head(hidden)
    log_probs = torch.log_softmax(logits, -1)
    wanted = (labels != IGNORE).nonzero().tolist()
    picked = [log_probs[r, c, labels[r, c]].item() for r, c in wanted]
    assert loss.item() == pytest.approx(-sum(picked) / len(picked), rel=1e-5)
    found = [logits[r, c].argmax() == labels[r, c] for r, c in wanted]
    assert [right[r, c].item() for r, c in wanted] == found and not all(found)
    assert right[labels == IGNORE].all()
    weights = torch.ones(labels.shape)
    weights[:, wanted[0][1]] = 5
    weighted, _ = token_loss(model, hidden, labels, weights)
    parts = [(weights[r, c].item(), p) for (r, c), p in zip(wanted, picked, strict=True)]
    expected = -sum(w * p for w, p in parts) / sum(w for w, _ in parts)
    assert weighted.item() == pytest.approx(expected, rel=1e-5)
    assert weighted.item() != pytest.approx(loss.item(), rel=1e-5)
