"""Images are read and cut ahead of the step, in order, and no further than the workers reach."""

from __future__ import annotations

import threading

import pytest

from cropvlm_trainer.grpo.accumulate import ahead


@pytest.mark.parametrize("workers", [0, 1, 3, 9])
def test_the_order_is_that_of_the_items(workers):
    assert list(ahead(lambda n: n * n, range(7), workers)) == [n * n for n in range(7)]
    assert list(ahead(lambda n: n, [], workers)) == []


def test_the_next_items_are_worked_on_meanwhile():
    begun = [threading.Event() for _ in range(5)]

    def work(number: int) -> str:
        begun[number].set()
        return threading.current_thread().name

    found = ahead(work, range(5), 2)
    assert next(found) != threading.current_thread().name
    assert begun[1].wait(10) and begun[2].wait(10), "the two after the first, which has been taken"
    assert not begun[3].is_set() and not begun[4].is_set()
    assert len(list(found)) == 4


def test_an_error_comes_where_its_item_is():
    def work(number: int) -> int:
        if number == 2:
            raise ValueError("the picture is not there")
        return number

    found = ahead(work, range(4), 2)
    assert (next(found), next(found)) == (0, 1)
    with pytest.raises(ValueError, match="the picture is not there"):
        next(found)
