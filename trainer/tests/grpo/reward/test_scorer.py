"""Accuracies by a function of one's own."""

from __future__ import annotations

import pytest
from support.reward_examples import EXAMPLES

from cropvlm_trainer.grpo.reward.scorer import make_scorer

SOURCE = """
def first_letter(answer, answers):
    return float(any(answer[:1] == right[:1] for right in answers))

def wrong(answer, answers):
    return 7
"""


def test_a_function_of_a_module_in_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "own_scorer.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    score = make_scorer("own_scorer:first_letter")
    assert (score("hello", EXAMPLES[1]), score("no", EXAMPLES[1])) == (1.0, 0.0)
    with pytest.raises(ValueError, match="own_scorer:wrong gave 7 for 'x'; it has to give a number in 0..1"):
        make_scorer("own_scorer:wrong")("x", EXAMPLES[0])
    for name in ("own_scorer:nothing", "no_such_module:nothing"):
        with pytest.raises(ValueError, match="is not there .*; start where its module lies"):
            make_scorer(name)
