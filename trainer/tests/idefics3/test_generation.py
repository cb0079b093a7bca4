"""The shared prefix against the naive pass, which runs tiles and prompt anew for each completion."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoProcessor

from cropvlm_trainer.contract import END_OF_UTTERANCE, answer_text, cropper_prompt, target_prompt, to_pixels
from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.generation import Completions, log_probs, prefill, replaced, sample
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.idefics3.prompts import PromptEncoder, prompt_grid
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel

GROUP = 3


EDGE = 128


QUESTIONS = ("What is the total?", "What number is under the red circle, and which line is on the left?")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), folder, TRAINING)
    return PromptEncoder(AutoProcessor.from_pretrained(folder))


@pytest.fixture(scope="module")
def asked(encoder):
    """Two questions about pictures of 5 tiles and of 1 tile: ids and tiles of each."""
    made = []
    for question, (width, height), edge in zip(QUESTIONS, ((90, 70), (50, 60)), (EDGE, 64), strict=True):
        image = pattern_image("strokes", width, height)
        ids = encoder(cropper_prompt(question), [prompt_grid(image, edge, TINY.tile)])
        made.append((ids, torch.from_numpy(tiles(image, edge, TINY.tile).copy())))
    assert [len(cut) for _, cut in made] == [5, 1]
    return made


def special(encoder, *tokens):
    return torch.tensor([encoder.tokenizer.convert_tokens_to_ids(token) for token in tokens])


def completions_of(encoder, rows: int) -> Completions:
    """Ragged completions of known ids."""
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(60, 300, (rows, 6), generator=generator)
    mask = torch.ones_like(ids, dtype=torch.bool)
    for row in range(rows):
        mask[row, 2 + row % 5 :] = False
    return Completions(ids.masked_fill(~mask, encoder.tokenizer.pad_token_id), mask, mask[:, -1])


def naive(model, asked, completions: Completions, temperature: float) -> torch.Tensor:
    """transformers' own forward, one completion at a time."""
    rows = []
    for row in range(len(completions.ids)):
        prompt, cut = asked[row // GROUP]
        count = int(completions.mask[row].sum())
        tokens = completions.ids[row, :count]
        pixels = cut.permute(0, 3, 1, 2).float()[None] / 127.5 - 1
        ids = torch.cat([torch.tensor(prompt), tokens])[None]
        logits = model(input_ids=ids, pixel_values=pixels).logits[0, len(prompt) - 1 : -1].float() / temperature
        picked = torch.log_softmax(logits, -1).gather(-1, tokens[:, None]).squeeze(-1)
        rows.append(torch.nn.functional.pad(picked, (0, completions.ids.shape[1] - count)))
    return torch.stack(rows)


def shared(model, encoder, asked, completions: Completions, temperature: float) -> torch.Tensor:
    features = encode_tiles(model, torch.cat([cut for _, cut in asked]))
    prefix = prefill(model, [ids for ids, _ in asked], features, encoder.tokenizer.pad_token_id)
    return log_probs(model, prefix.repeated(GROUP), completions, temperature)


def gradients(model, value: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad(set_to_none=True)
    value.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_log_probs_and_gradients_equal_the_naive_pass(encoder, asked):
    model = tiny_model(2)
    completions = completions_of(encoder, len(asked) * GROUP)
    weights = torch.randn(completions.ids.shape, generator=torch.Generator().manual_seed(6))
    expected, found = naive(model, asked, completions, 0.8), shared(model, encoder, asked, completions, 0.8)
    assert (found[~completions.mask] == 0).all() and (found[completions.mask] < 0).all()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    ours = gradients(model, (found * weights).mean())
    theirs = gradients(model, (naive(model, asked, completions, 0.8) * weights).mean())
    assert ours.keys() == theirs.keys() and any("vision" in name for name in ours)
    scale = max(gradient.abs().max().item() for gradient in theirs.values())
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[name] / scale, gradient / scale, atol=1e-6, rtol=1e-4, msg=name)


def test_greedy_samples_are_those_of_generate(encoder, asked):
    model = tiny_model(2)
    end, pad = special(encoder, END_OF_UTTERANCE).item(), encoder.tokenizer.pad_token_id
    suppressed = special(encoder, "<image>", "<row_1_col_1>")
    features = encode_tiles(model, torch.cat([cut for _, cut in asked])).detach()
    prefix = prefill(model, [ids for ids, _ in asked], features, pad)
    made = sample(
        model,
        prefix.repeated(1, detach=True),
        end=end,
        pad=pad,
        max_new_tokens=12,
        temperature=0,
        suppressed=suppressed,
    )
    for row, (ids, cut) in enumerate(asked):
        pixels = cut.permute(0, 3, 1, 2).float()[None] / 127.5 - 1
        wanted = model.generate(
            input_ids=torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            pixel_values=pixels,
            max_new_tokens=12,
            do_sample=False,
            eos_token_id=end,
            suppress_tokens=suppressed.tolist(),
        )[0, len(ids) :].tolist()
        assert made.ids[row][made.mask[row]].tolist() == wanted
        assert made.ended[row].item() == (wanted[-1] == end)


def test_samples_are_seeded_never_suppressed_and_leave_the_prefix_alone(encoder, asked):
    model = tiny_model(2)
    pad = encoder.tokenizer.pad_token_id
    features = encode_tiles(model, torch.cat([cut for _, cut in asked])).detach()
    prefix = prefill(model, [ids for ids, _ in asked], features, pad)
    length = prefix.cache.get_seq_length()
    # Everything but ten tokens is suppressed: what is drawn shows it.
    allowed = torch.arange(100, 110)
    suppressed = torch.tensor([i for i in range(model.config.text_config.vocab_size) if i not in allowed])

    def drawn(*seeds: int) -> Completions:
        return sample(
            model,
            prefix.repeated(GROUP, detach=True),
            end=105,
            pad=pad,
            max_new_tokens=8,
            temperature=5.0,
            suppressed=suppressed,
            generators=[torch.Generator().manual_seed(seed) for seed in seeds],
        )

    one, same, other = drawn(1, 2), drawn(1, 2), drawn(1, 3)
    assert torch.equal(one.ids[:GROUP], other.ids[:GROUP]), "a question's draws are its own"
    assert torch.equal(one.ids, same.ids) and not torch.equal(one.ids, other.ids)
    assert set(one.ids[one.mask].tolist()) <= set(allowed.tolist())
    for row in range(len(one.ids)):
        tokens = one.ids[row][one.mask[row]].tolist()
        assert 105 not in tokens[:-1], "nothing comes after the end token"
        assert one.ended[row].item() == (tokens[-1] == 105)
    first = one.ids[:, 0].unique()
    assert len(first) > 1, "a group's draws differ"
    assert prefix.cache.get_seq_length() == length and prefix.mask.shape[1] == length


def test_tiles_that_do_not_belong_to_the_prompts_are_refused(encoder, asked):
    model = tiny_model(2)
    features = encode_tiles(model, asked[0][1][:3])
    with pytest.raises(ValueError, match="build the prompts for the grids"):
        prefill(model, [asked[0][0]], features, encoder.tokenizer.pad_token_id)


@pytest.mark.parametrize("answer", ["12:30", "a: b: c", "Total: 5", "7"])
def test_the_log_likelihood_is_the_models_own_cross_entropy(encoder, answer):
    model = tiny_model(2)
    images = [pattern_image("blocks", 100, 60), pattern_image("hash", 64, 64)]
    boxes = [[(10, 20, 50, 90), None], [(0, 0, 100, 100), (50, 50, 60, 99)]]
    examples = [Example(image, question, [answer]) for image, question in zip(images, QUESTIONS, strict=True)]
    for edge in (64, EDGE):
        reward = RewardModel(model, encoder, edge, batch_size=3)
        found = reward.log_likelihoods(examples, boxes)
        for row, example in enumerate(examples):
            for column, box in enumerate(boxes[row]):
                crop = example.image.crop(to_pixels(box or (0, 0, 100, 100), *example.image.size))
                grids = [prompt_grid(image, edge, TINY.tile) for image in (example.image, crop)]
                prompt = encoder(target_prompt(example.question), grids)
                tokens = encoder.tokenizer(answer_text(answer) + END_OF_UTTERANCE)["input_ids"]
                cut = torch.cat([torch.from_numpy(tiles(i, edge, TINY.tile).copy()) for i in (example.image, crop)])
                ids = torch.tensor([prompt + tokens])
                labels = ids.clone()
                labels[:, : len(prompt)] = -100
                pixels = cut.permute(0, 3, 1, 2).float()[None] / 127.5 - 1
                with torch.no_grad():
                    loss = model(input_ids=ids, pixel_values=pixels, labels=labels).loss
                assert found[row, column].item() == pytest.approx(-loss.item() * len(tokens), rel=1e-4)


def test_draws_follow_the_tempered_softmax(encoder, asked):
    model = tiny_model(2)
    pad = encoder.tokenizer.pad_token_id
    features = encode_tiles(model, asked[1][1]).detach()
    prefix = prefill(model, [asked[1][0]], features, pad)
    times = 4000
    with torch.no_grad():
        expected = torch.softmax(model.lm_head(prefix.last_hidden[0]).float() / 2.0, dim=-1)
    made = sample(
        model,
        prefix.repeated(times, detach=True),
        end=105,
        pad=pad,
        max_new_tokens=1,
        temperature=2.0,
        suppressed=torch.tensor([], dtype=torch.long),
        generators=[torch.Generator().manual_seed(1)],
    )
    shares = torch.bincount(made.ids[:, 0], minlength=len(expected)) / times
    assert (shares - expected).abs().max() < 4 * (expected.max() * (1 - expected.max()) / times) ** 0.5


def test_some_rows_are_replaced_and_the_shorter_padded():
    def made(rows: list[list[int]], ended: list[bool]) -> Completions:
        ids = torch.tensor(rows)
        return Completions(ids, ids != 9, torch.tensor(ended))

    both = replaced(made([[1, 2], [3, 9], [4, 5]], [True, True, False]), made([[6, 7, 8]], [True]), [2], 9)
    assert both.ids.tolist() == [[1, 2, 9], [3, 9, 9], [6, 7, 8]]
    assert both.mask.tolist() == [[True, True, False], [True, False, False], [True] * 3]
    assert both.ended.tolist() == [True, True, True]
    shorter = replaced(made([[1, 2, 3], [4, 5, 6]], [False, True]), made([[7]], [False]), [0], 9)
    assert shorter.ids.tolist() == [[7, 9, 9], [4, 5, 6]] and shorter.ended.tolist() == [False, True]
