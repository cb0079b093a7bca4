from argparse import Namespace

import pytest

from cropvlm_trainer.options import check_positive, flag


def test_an_option_is_named_as_it_is_typed():
    assert flag("max_tokens") == "--max-tokens"


def test_numbers_that_are_given_are_above_zero():
    names = ("max_tokens", "timeout", "n")
    check_positive(Namespace(max_tokens=1, timeout=0.5, n=None), names)
    for value in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="^--max-tokens must be above 0$"):
            check_positive(Namespace(max_tokens=value, timeout=0.5, n=None), names)
