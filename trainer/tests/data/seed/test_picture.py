from random import Random

import pytest
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from cropvlm_trainer.data.columns import Rejection
from cropvlm_trainer.data.seed.picture import FACTOR, MAX_PIXELS, MIN_PIXELS, qwen_size


def test_qwen_keeps_the_size_that_is_sent():
    rng = Random(0)
    for edge in (None, 112, 1000, 1792):
        for _ in range(300):
            width = rng.randint(1, 9000)
            height = max(1, round(width * 150 ** rng.uniform(-1, 1)))
            size = qwen_size(width, height, edge)
            assert smart_resize(size[1], size[0], FACTOR, MIN_PIXELS, MAX_PIXELS) == (size[1], size[0])
            if edge and max(width, height) / min(width, height) < edge / FACTOR:
                assert max(size) <= edge, (width, height, edge)
    assert qwen_size(640, 480, None) == (644, 476)
    assert qwen_size(8000, 6000, None) == (4116, 3080), "12.8 megapixels"
    assert qwen_size(20, 10, None) == (84, 56)
    # The second one would be sent as 5740 x 28, which is 205 times as long as wide.
    for narrow in ((4001, 20), (5740, 30)):
        with pytest.raises(Rejection, match="200") as caught:
            qwen_size(*narrow, None)
        assert caught.value.reason == "picture too narrow"
