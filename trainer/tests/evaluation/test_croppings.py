from random import Random

from PIL import Image

from cropvlm_trainer.evaluation.croppings import cut, moved


def test_random_boxes_keep_their_size_and_stay_on_the_page():
    rng = Random(0)
    assert moved(rng, (0, 0, 100, 100)) == (0, 0, 100, 100)
    boxes = {moved(rng, (40, 50, 54, 60)) for _ in range(200)}
    assert len(boxes) > 150
    assert all((x2 - x1, y2 - y1) == (14, 10) and x1 >= 0 and x2 <= 100 and y1 >= 0 for x1, y1, x2, y2 in boxes)


def test_crops_are_cut_from_the_original_pixels():
    image = Image.new("RGB", (200, 100))
    image.putpixel((50, 20), (255, 0, 0))
    crop = cut(image, (25, 20, 50.2, 40))
    assert (crop.size, crop.getpixel((0, 0))) == ((51, 20), (255, 0, 0))
    assert cut(image, None).size == (200, 100)
