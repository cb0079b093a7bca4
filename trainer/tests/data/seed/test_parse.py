"""The boxes that are read from a big VLM's reply."""

import pytest

from cropvlm_trainer.data.columns import Rejection
from cropvlm_trainer.data.seed.parse import boxes_in, to_percent


@pytest.mark.parametrize(
    ("reply", "boxes"),
    [
        ('{"bbox_2d": [1, 2, 3, 4]}', [[1, 2, 3, 4]]),
        ('The sign: {"label": "a]", "bbox_2d" : [1.5, 2, 3e1, 4]}. Hope it helps.', [[1.5, 2, 30, 4]]),
        (
            '```json\n[\n\t{"bbox_2d": [1, 2,\n 3, 4], "label": "a"},\n{"bbox_2d": [5, 6, 7, 8]}]```',
            [[1, 2, 3, 4], [5, 6, 7, 8]],
        ),
        ('{"regions": [{"at": {"bbox_2d": [1, 2, 3, 4]}}]}', [[1, 2, 3, 4]]),
        ('[{"bbox_2d": [1, 2, 3, 4], "label": "cut off behi', [[1, 2, 3, 4]]),
        ('I answer as {"bbox_2d": [x1, y1, x2, y2]}: {"bbox_2d": [1, 2, 3, 4]}', [[1, 2, 3, 4]]),
        ("The region is at [1, 2, 3, 4].", [[1, 2, 3, 4]]),
        ("[[1, 2, 3, 4], [5, 6, 7, 8]]", [[1, 2, 3, 4], [5, 6, 7, 8]]),
        ("```json\n[1.5, 2, 3, 4]\n```", [[1.5, 2, 3, 4]]),
        ("<|box_start|>(1,2),(3,4)<|box_end|>", [[1, 2, 3, 4]]),
        ("<|begin_of_box|>[[1,2,3,4]]<|end_of_box|>", [[1, 2, 3, 4]]),
        ("{'bbox_2d': [1, 2, 3, 4]}", [[1, 2, 3, 4]]),
        ('{"bbox": [1, 2, 3, 4], "label": "a"}', [[1, 2, 3, 4]]),
        ('{"bbox_2d": [[1, 2, 3, 4]]}', [[1, 2, 3, 4]]),
        ('{"bbox_2d": [[1, 2], [3, 4]]}', [[1, 2, 3, 4]]),
        ('{"bbox_2d": ["1", "2", "3", "4"]}', [[1, 2, 3, 4]]),
        ("Of 3 signs, [9, 9, 9, 9] is none: {'bbox_2d': [1, 2, 3, 4]}", [[1, 2, 3, 4]]),
        (
            '{"x1": 1, "y1": 2, "x2": 3, "y2": 4}, {"xmin": 5, "ymin": 6, "xmax": 7, "ymax": 8}',
            [[1, 2, 3, 4], [5, 6, 7, 8]],
        ),
        ("<think>Perhaps [5, 6, 7, 8]?</think>\n[1, 2, 3, 4]", [[1, 2, 3, 4]]),
    ],
)
def test_replies_with_boxes(reply, boxes):
    assert boxes_in(reply) == boxes


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "no bbox_2d in the reply"),
        ("The region is at 1, 2, 3, 4.", "no bbox_2d in the reply"),
        ("[1, 2, 3, 4", "no bbox_2d in the reply"),
        ("[1, 2, 3, 4, 5]", "no bbox_2d in the reply"),
        ('{"bbox_2d": null}', "bbox_2d is not four numbers"),
        ('{"bbox_2d": [1, 2, 3', "bbox_2d is not four numbers"),
        ('{"bbox_2d": [1, 2, 3]}', "bbox_2d is not four numbers"),
        ('{"bbox_2d": [1, 2, 3, 4, 5]}', "bbox_2d is not four numbers"),
        ('{"bbox_2d": [true, 2, 3, 4]}', "bbox_2d is not four numbers"),
        ('{"bbox_2d": [1, 2, NaN, 4]}', "bbox_2d is not four numbers"),
        ('{"bbox_2d": [1, 2, 1e999, 4]}', "bbox_2d is not four numbers"),
        ('{"bbox_2d": [1, 2, 1' + "0" * 400 + ", 4]}", "bbox_2d is not four numbers"),
        ('{"bbox_2d": [1, 2, 1' + "0" * 9000 + ", 4]}", "bbox_2d is not four numbers"),
        ('{"bbox_2d": ' + "[" * 100_000, "bbox_2d is not four numbers"),
    ],
)
def test_replies_without_boxes(reply, reason):
    with pytest.raises(Rejection) as caught:
        boxes_in(reply)
    assert caught.value.reason == reason


def test_boxes_in_per_cent():
    assert to_percent([100, 50, 200, 100], (400, 200), (400, 200)) == (25, 25, 50, 50)
    assert to_percent([1 / 3, 0, 2 / 3, 1], (1, 1), (90, 90)) == (33.33, 0, 66.67, 100)
    # A box a little over an edge is cut off.
    assert to_percent([-8, 0, 408, 204], (400, 200), (400, 200)) == (0, 0, 100, 100)
    assert to_percent([3, 3, 4, 4], (400, 200), (400, 200)) == (0.75, 1.5, 1, 2), "one pixel is enough"


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ([50, 10, 50, 20], "box without area"),
        ([50, 20, 60, 10], "box without area"),
        ([60, 10, 50, 20], "box without area"),
        ([-9, 0, 50, 50], "box outside the picture"),
        ([0, 0, 409, 50], "box outside the picture"),
        ([0, 0, 50, 205], "box outside the picture"),
        ([1000, 10, 1050, 20], "box outside the picture"),
        ([401, 10, 405, 20], "box under a pixel"),
        ([0.1, 0.2, 0.5, 0.6], "box under a pixel"),
    ],
)
def test_what_is_no_box_of_the_picture(box, reason):
    with pytest.raises(Rejection) as caught:
        to_percent(box, (400, 200), (400, 200))
    assert caught.value.reason == reason
