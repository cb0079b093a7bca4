"""Words and patterns of a page, and the cells in which they stand."""

from __future__ import annotations

from cropvlm_trainer.data.seed.evidence import Line
from cropvlm_trainer.full_sft.words import PATTERNS, WORDS, frequent_words, in_cells, places


def page(text: str) -> list[Line]:
    return [Line((0, 0, 1, 1), text)]


def test_the_words_on_most_pages_come_first():
    pages = [[Line((0, 0, 1, 1), "Total total TOTAL cash")], [Line((0, 0, 1, 1), "total: 9.00 in")]]
    assert frequent_words([pages]) == ["total", "cash"]
    many = [[Line((0, 0, 1, 1), " ".join("abcdefgh"[i] * 3 + "ijklmnop"[j] for i in range(8) for j in range(8)))]]
    assert len(frequent_words([many])) == WORDS


def test_a_small_set_counts_as_much_as_a_large_one():
    large = [page("invoice net"), page("invoice"), page("invoice net"), page("invoice")]
    assert frequent_words([large, [page("cash")]]) == ["cash", "invoice", "net"]
    assert frequent_words([[*large, page("cash")]]) == ["invoice", "net", "cash"]


def test_a_word_stands_where_its_letters_are():
    found = places(["cash"], [Line((20.0, 40.0, 60.0, 44.0), "xx cash 12.50 ")])
    names = ["cash", *PATTERNS]
    at = {names[number]: (x, y) for number, x, y in found}
    assert at["cash"] == (20 + 40 * 5 / 14, 42.0)
    assert at["amount"] == (20 + 40 * 10.5 / 14, 42.0)
    assert set(at) == {"cash", "amount", "small letters"}


def test_cells_count_from_the_top_left():
    cells = in_cells([(1, 99.9, 0.0), (0, 0.0, 50.0), (0, 100.0, 1.0), (1, -0.1, 1.0), (1, 1.0, -3.0)], 2, 4)
    assert cells.nonzero().tolist() == [[3, 1], [8, 0]]
