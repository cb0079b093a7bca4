"""The log-likelihood of another VLM: an Idefics3 as our own reward VLM has it, a LLaVA as its own forward pass does."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from support.reward_examples import EXAMPLES
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.grpo.reward import checkpoint as module
from cropvlm_trainer.grpo.reward.checkpoint import CheckpointLikelihood
from cropvlm_trainer.grpo.reward.rewards import make_reward
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.image_processing import crop
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel
from cropvlm_trainer.training.reward_config import CheckpointReward
from cropvlm_trainer.training.stages import GrpoConfig

BOXES = [[(0, 0, 50, 50), None, (20, 20, 90, 90)], [(20, 20, 90, 90), (0, 0, 50, 50), None]]
CPU = torch.device("cpu")
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | upper }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %} {% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
"""As that of llava-hf's checkpoints: nothing ends a reply but the tokenizer's end token."""


@pytest.mark.parametrize("longest_edge", [64, 128])
def test_an_idefics3_is_scored_as_the_base_would_be(encoder, policy, tmp_path, longest_edge):
    save_checkpoint(tiny_model(3), TINY, tiny_tokenizer(), tmp_path / "other", TRAINING)
    reward = CheckpointReward("checkpoint", tmp_path / "other")
    config = GrpoConfig(tmp_path, tmp_path, tmp_path, reward=reward, reward_resolution=longest_edge)
    found = make_reward(config, policy, encoder)(EXAMPLES, BOXES)
    expected = RewardModel(tiny_model(3), encoder, longest_edge).log_likelihoods(EXAMPLES, BOXES)
    torch.testing.assert_close(found["log_likelihood"], expected, atol=1e-4, rtol=1e-4)
    assert found["format"].tolist() == [[1, 0, 1], [1, 1, 0]]


@pytest.fixture(scope="module")
def llava(tmp_path_factory):
    folder = tmp_path_factory.mktemp("llava")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tiny_tokenizer(), pad_token="<|im_end|>", eos_token="<end_of_utterance>"
    )
    size = {"height": 28, "width": 28}
    processor = LlavaProcessor(
        CLIPImageProcessorPil(size=size, crop_size=size, do_center_crop=False),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    )
    processor.save_pretrained(folder)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**small, image_size=28, patch_size=14, projection_dim=16),
        text_config=LlamaConfig(**small, num_key_value_heads=2, vocab_size=len(tokenizer), initializer_range=0.5),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
    )
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    return folder


def test_a_llava_is_scored_as_its_own_forward_pass_says(llava):
    scorer = CheckpointLikelihood(llava, CPU, 128, "sum", False)
    prompt, answer = scorer.texts(EXAMPLES[0])
    assert prompt == "USER: <image><image>What is the total?\nGive a very brief answer. ASSISTANT:"
    assert answer == " 7.<end_of_utterance>"
    found = scorer(EXAMPLES, BOXES)
    for row, example in enumerate(EXAMPLES):
        prompt, answer = scorer.texts(example)
        images = [example.image, crop(example.image, BOXES[row][0])]
        inputs = scorer.processor(text=[prompt + answer], images=[images], return_tensors="pt")
        ids = scorer.tokenizer.encode(answer, add_special_tokens=False)
        with torch.no_grad():
            logits = scorer.model(**inputs).logits[0, -len(ids) - 1 : -1]
        wanted = torch.log_softmax(logits, dim=-1)[range(len(ids)), ids].sum()
        assert found[row, 0].item() == pytest.approx(wanted.item(), abs=1e-3)
    assert len({round(value, 3) for value in found[0].tolist()}) == 3, "the crop matters"
    means = CheckpointLikelihood(llava, CPU, 128, "mean", False)(EXAMPLES, BOXES)
    tokens = [len(scorer.tokenizer.encode(scorer.texts(each)[1], add_special_tokens=False)) for each in EXAMPLES]
    torch.testing.assert_close(means * torch.tensor(tokens)[:, None], found, atol=1e-4, rtol=1e-4)


def test_long_answers_are_scored_by_few_at_a_time(llava, monkeypatch):
    scorer = CheckpointLikelihood(llava, CPU, 128, "sum", False)
    examples = [*EXAMPLES, Example(EXAMPLES[1].image, "What is written?", ["a b c " * 30])]
    boxes = [*BOXES, [(0, 0, 50, 50), (20, 20, 90, 90), None]]
    sizes, forward = [], scorer.model.forward

    def measured(**inputs):
        found = forward(**inputs)
        sizes.append(found.logits.shape)
        return found

    monkeypatch.setattr(scorer.model, "forward", measured)
    whole = scorer(examples, boxes)
    (rows, longest, vocabulary), (last, _, _) = sizes
    assert (rows, last) == (8, 1), "as many as ever go into one pass, all padded to the longest answer"
    sizes.clear()
    monkeypatch.setattr(module, "MAX_LOGITS", 2 * longest * vocabulary)
    torch.testing.assert_close(scorer(examples, boxes), whole, atol=1e-3, rtol=1e-4)
    assert [shape[0] for shape in sizes] == [6, 2, 1], "short answers together, long ones by two"
    assert all(shape.numel() <= 2 * longest * vocabulary for shape in sizes)


def test_what_is_no_checkpoint_is_named(llava, tmp_path):
    with pytest.raises(FileNotFoundError, match="name the folder of a checkpoint in reward.path"):
        CheckpointLikelihood(tmp_path / "nowhere", CPU, 64, "sum", False)
    shutil.copytree(llava, tmp_path / "bad")
    (tmp_path / "bad" / "model.safetensors").rename(tmp_path / "bad" / "pytorch_model.bin")
    with pytest.raises(ValueError, match="holds its weights as a pickle"):
        CheckpointLikelihood(tmp_path / "bad", CPU, 64, "sum", False)
    odd = "{{ messages | length }}"
    (tmp_path / "bad" / "pytorch_model.bin").rename(tmp_path / "bad" / "model.safetensors")
    for path in (tmp_path / "bad").glob("chat_template*"):
        path.write_text(json.dumps({"chat_template": odd}) if path.suffix == ".json" else odd)
    with pytest.raises(ValueError, match="does not put a reply behind its prompt"):
        CheckpointLikelihood(tmp_path / "bad", CPU, 64, "sum", False)(EXAMPLES, BOXES)
