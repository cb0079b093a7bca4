from __future__ import annotations

from cropvlm_trainer.training.order import shuffled


def test_each_epoch_has_an_order_of_its_own():
    rows = [{"id": number} for number in range(7)]
    order = [row["id"] for row in shuffled(rows, 2, 3, seed=1)]
    first, second = order[:6], order[6:]
    assert len(order) == 12 and len(set(first)) == len(set(second)) == 6
    assert first != second and first != sorted(first)
    assert order == [row["id"] for row in shuffled(rows, 2, 3, seed=1)]
    assert order != [row["id"] for row in shuffled(rows, 2, 3, seed=2)]
    assert shuffled(rows, 2, 8, seed=1) == []
