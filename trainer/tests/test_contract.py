from cropvlm_trainer.contract import (
    answer_text,
    cropper_prompt,
    format_box,
    one_line,
    parse_box,
    target_prompt,
    to_pixels,
)


def test_prompts_capitalize_like_the_reference_code():
    assert cropper_prompt("what IS on the Sign?") == (
        "What is on the sign?\nOutline the region in the image that would help answer this question."
    )
    assert target_prompt("ÉTÉ À PARIS?") == "Été à paris?\nGive a very brief answer."


def test_a_question_is_one_line_without_white_space_around_it():
    for text in ("What is\nthe total?\n", "\ufeff What\u00a0is \t the\u3000total?\u200b", "What is\x1cthe\x85total?"):
        assert cropper_prompt(text) == cropper_prompt("What is the total?"), text
        assert target_prompt(text) == target_prompt("What is the total?"), text
    assert one_line(" \n\u200b") == ""
    assert one_line("नमस्\u200dते a\u200cb") == "नमस्\u200dते a\u200cb"


def test_white_space_is_all_that_python_takes_for_it():
    assert {c for c in map(chr, range(0x110000)) if one_line(f"a{c}b") == "a b"} == {
        *(c for c in map(chr, range(0x110000)) if c.isspace()),
        *"\ufeff\u200b\u2060",
    }


def test_box_text_truncates_and_parses_back():
    assert format_box((12.9, 5.1, 80, 47.999)) == " [12, 5, 80, 47]."
    assert parse_box(" [12, 5, 80, 47].") == (12, 5, 80, 47)


def test_invalid_boxes_are_none():
    for text in (
        "",
        "[1, 2, 3]",
        "[5, 5, 5, 9].",
        "[5, 9, 8, 9].",
        "[0, 0, 101, 9].",
        "[1, 2, 3, 4] and more",
        "[-1, 0, 5, 5].",
        "[١, ٢, ٣, ٤].",
    ):
        assert parse_box(text) is None, text


def test_pixels_round_outwards_and_hold_a_pixel():
    assert to_pixels((12, 5, 80, 47), 1600, 1200) == (192, 60, 1280, 564)
    assert to_pixels((99, 99, 100, 100), 1, 1) == (0, 0, 1, 1)
    assert to_pixels((33, 0, 67, 50), 10, 3) == (3, 0, 7, 2)


def test_answers_are_capitalized_with_a_full_stop():
    assert answer_text("dakota Digital") == " Dakota digital."
