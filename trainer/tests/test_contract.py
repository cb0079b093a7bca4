from cropvlm_trainer.contract import answer_text, cropper_prompt, format_box, parse_box, target_prompt, to_pixels


def test_prompts_capitalize_like_the_reference_code():
    assert cropper_prompt("what IS on the Sign?") == (
        "What is on the sign?\nOutline the region in the image that would help answer this question."
    )
    assert target_prompt("ÉTÉ À PARIS?") == "Été à paris?\nGive a very brief answer."


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
