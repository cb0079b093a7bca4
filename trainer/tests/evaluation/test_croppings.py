from random import Random

from cropvlm_trainer.evaluation.croppings import moved


def test_random_boxes_keep_their_size_and_stay_on_the_page():
    rng = Random(0)
    assert moved(rng, (0, 0, 100, 100)) == (0, 0, 100, 100)
    boxes = {moved(rng, (40, 50, 54, 60)) for _ in range(200)}
    assert len(boxes) > 150
    assert all((x2 - x1, y2 - y1) == (14, 10) and x1 >= 0 and x2 <= 100 and y1 >= 0 for x1, y1, x2, y2 in boxes)
