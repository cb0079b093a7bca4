"""Two questions about two pictures, with their answers, as the reward VLM takes them."""

from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.idefics3.reward_model import Example

EXAMPLES = [
    Example(pattern_image("strokes", 90, 70), "What is the total?", ["7"]),
    Example(pattern_image("hash", 64, 64), "Where is it?", ["here", "there", "here"]),
]
