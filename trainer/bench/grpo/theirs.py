"""TRL's side: its GRPOTrainer on the same questions, rewarded by our reward VLM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from datasets import Dataset, Image
from peft import PeftModel
from transformers import Idefics3ForConditionalGeneration, PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer
from work import BETA, LEARNING_RATE, MAX_GRAD_NORM, TEMPERATURE, Work, filled, forbidden

from cropvlm_trainer.contract import cropper_prompt, parse_box
from cropvlm_trainer.grpo.reward.rewards import LogLikelihood
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint
from cropvlm_trainer.idefics3.lora import add_lora
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel


class BaseInside:
    """Stands for `Policy` on this side: the reward VLM is the base without the adapter, one copy of the weights."""

    def __init__(self, peft: PeftModel) -> None:
        self.peft = peft

    @contextmanager
    def reward_model(self) -> Iterator[Idefics3ForConditionalGeneration]:
        self.peft.eval()
        with torch.no_grad(), self.peft.disable_adapter():
            yield self.peft.base_model.model
        self.peft.train()


def build(work: Work, callback: TrainerCallback) -> GRPOTrainer:
    """A trainer whose `train()` takes the work's steps and tells `callback` of each."""
    model, processor = load_checkpoint(Path(work.base))
    if work.device == "cpu":
        # As our side: on a CPU the backward pass of the fused attention is slower.
        model.set_attn_implementation("eager")
    processor.image_processor.size = {"longest_edge": work.resolution}
    torch.manual_seed(0)
    peft = add_lora(model, work.lora)
    args = GRPOConfig(
        output_dir="unused",
        per_device_train_batch_size=work.group,
        gradient_accumulation_steps=work.questions,
        max_steps=work.steps,
        num_generations=work.group,
        max_completion_length=work.new_tokens,
        generation_kwargs={"suppress_tokens": forbidden(processor.tokenizer)},
        temperature=TEMPERATURE,
        beta=BETA,
        loss_type="grpo",
        scale_rewards="group",
        use_bias_correction_kl=False,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="cosine",
        max_grad_norm=MAX_GRAD_NORM,
        optim="adamw_torch",
        weight_decay=0.0,
        gradient_checkpointing=work.checkpointing,
        bf16=work.precision == "bf16",
        use_cpu=work.device == "cpu",
        dataloader_pin_memory=work.device == "cuda",
        shuffle_dataset=False,
        logging_strategy="no",
        save_strategy="no",
        disable_tqdm=True,
        report_to="none",
    )
    encoder = PromptEncoder(processor)
    reward = reward_of(peft, RewardModel(peft.base_model.model, encoder, work.reward_resolution), work.group)
    trainer = SamePrecision(peft, reward, args, dataset(work), processing_class=processor, callbacks=[callback])
    trainer.remove_callback(PrinterCallback)
    return trainer


class SamePrecision(GRPOTrainer):
    """Samples and rewards under the autocast of the training pass, as our side does; TRL itself does both in fp32."""

    def _prepare_inputs(self, inputs):
        with self.accelerator.autocast():
            return super()._prepare_inputs(inputs)


def dataset(work: Work) -> Dataset:
    """The questions; their images are read from files when a step needs them."""
    rows = [
        {
            "prompt": [{"role": "user", "content": cropper_prompt(row["question"])}],
            "image": str(Path(work.data).parent / row["image"]),
            "question": row["question"],
            "answers": row["answers"],
        }
        for row in work.rows()
    ]
    return Dataset.from_list(rows).cast_column("image", Image())


def reward_of(peft: PeftModel, reward_model: RewardModel, group: int) -> Callable[..., list[float]]:
    likelihood = LogLikelihood(BaseInside(peft), reward_model)

    def reward(completions, completion_ids, image, question, answers, **others) -> list[float]:
        examples = [Example(image[i], question[i], answers[i]) for i in range(0, len(image), group)]
        found = [
            parse_box(said[0]["content"]) if ids[-1] == reward_model.end else None
            for said, ids in zip(completions, completion_ids, strict=True)
        ]
        boxes = filled([found[i : i + group] for i in range(0, len(found), group)])
        return sum(likelihood(examples, boxes).values()).flatten().tolist()

    return reward
