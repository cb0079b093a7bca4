from random import Random

from cropvlm_trainer.evaluation.croppings import moved, with_margin


def test_where_there_is_no_box_there_is_none_with_a_margin():
    assert with_margin([None, (50, 50, 51, 51)]) == [None, (43, 45, 57, 55)]


def test_random_boxes_keep_their_size_and_stay_on_the_page():
    rng = Random(0)
    assert moved(rng, (0, 0, 100, 100)) == (0, 0, 100, 100)
    boxes = {moved(rng, (40, 50, 54, 60)) for _ in range(200)}
    assert len(boxes) > 150
    assert all((x2 - x1, y2 - y1) == (14, 10) and x1 >= 0 and x2 <= 100 and y1 >= 0 for x1, y1, x2, y2 in boxes)
