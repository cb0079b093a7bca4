"""Images are read and cut ahead of the step, in order, and no further than the workers reach."""

from __future__ import annotations

import threading

import pytest

from cropvlm_trainer.grpo.accumulate import ahead


@pytest.mark.parametrize("workers", [0, 1, 3, 9])
def test_the_order_is_that_of_the_items(workers):
    for most in (1, 3, 9):
        assert list(ahead(lambda n: n * n, range(7), workers, most)) == [n * n for n in range(7)]
        assert list(ahead(lambda n: n, [], workers, most)) == []


def test_the_next_items_are_worked_on_meanwhile_as_far_as_said():
    begun = [threading.Event() for _ in range(6)]

    def work(number: int) -> str:
        begun[number].set()
        return threading.current_thread().name

    found = ahead(work, range(6), 2, 3)
    assert next(found) != threading.current_thread().name
    assert all(begun[number].wait(10) for number in (1, 2, 3)), "the three after the first, which has been taken"
    assert not begun[4].is_set() and not begun[5].is_set()
    assert len(list(found)) == 5


def test_items_are_worked_on_by_all_workers_at_once():
    together = threading.Barrier(3)
    assert sorted(ahead(lambda number: (together.wait(30), number)[1], range(6), 3, 3)) == list(range(6))


def test_closing_ends_the_threads():
    before = threading.active_count()
    found = ahead(lambda number: number, range(6), 2, 6)
    next(found)
    found.close()
    assert threading.active_count() == before


def test_an_error_comes_where_its_item_is():
    def work(number: int) -> int:
        if number == 2:
            raise ValueError("the picture is not there")
        return number

    found = ahead(work, range(4), 2, 2)
    assert (next(found), next(found)) == (0, 1)
    with pytest.raises(ValueError, match="the picture is not there"):
        next(found)
