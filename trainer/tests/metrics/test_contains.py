import pytest

from cropvlm_trainer.metrics.contains import contains, contains_anls


@pytest.mark.parametrize(
    ("text", "answers", "score"),
    [
        ("Total RM 9.00", ["9.00"], 1),
        ("Total RM9.00\nCash 10.00", ["RM 9.00"], 1),
        ("1, Main St\n1,234.50", ["1234.50"], 1),
        ("19.00 9.001 9.0", ["9.00"], 0),
        ("Total 9.80", ["9.00"], 0),
        ("TASTE OF THE\nWOR LD SDN.BHD", ["Taste of the World Sdn Bhd"], 1),
        ("Taste 0f the world", ["Taste of the world"], 9 / 15),
        ("Tasle of the world", ["Taste of the world"], 14 / 15),
        ("Date:10/01/2018", ["10/01/2018"], 1),
        ("Date: 10 Jan 2018", ["10 Jan. 2018"], 1),
        ("No. 5 10/01/2018 7", ["10/01/2018"], 1),
        ("110/01/2018", ["10/01/2018"], 0),
        ("Bill 10 Jan 2019", ["10 Jan 2018"], 0),
        ("Bill 1O Jan 2018", ["1 Jan 2018"], 7 / 8),
        ("CASH RM9.00", ["RM9.00"], 1),
        ("Table 5", ["$5"], 1),
        ("Invoice INV001", ["INV001"], 1),
        ("Invoice: inv-001", ["INV001"], 1),
        ("Invoice INV0012", ["INV001"], 0),
        ("Seat A12", ["A12"], 1),
        ("Seat A 12", ["A12"], 1),
        ("RM 5", ["RM5"], 1),
        ("RM5", ["RM 5"], 1),
        ("RM5", ["5"], 0),
        ("9.50", ["9"], 0),
        ("Seat 12", ["A12"], 0),
        ("Seat B12", ["A12"], 0),
        ("No. 12B", ["12A"], 0),
        ("Net 12 pcs", ["12pcs"], 1),
        ("nobody", ["no"], 0),
        ("no, never", ["No."], 1),
        ("abxy", ["abcd"], 0),
        ("abcx", ["zzz", "abcd"], 0.75),
        ("", ["abcd"], 0),
        ("abcd", ["..."], 0),
        ("abcd", [], 0),
    ],
)
def test_how_well_an_answer_stands_in_a_text(text, answers, score):
    assert contains_anls(text, answers) == pytest.approx(score)
    assert contains(text, answers) is (score == 1)
