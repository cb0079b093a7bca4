from PIL import Image

from cropvlm_trainer.chat.messages import shrunk


def test_only_larger_pictures_are_shrunk():
    picture = Image.new("RGB", (90, 30))
    assert shrunk(picture, 90) is picture
    assert shrunk(picture, None) is picture
    assert shrunk(picture, 45).size == (45, 15)
    assert shrunk(Image.new("RGB", (1000, 1)), 10).size == (10, 1)
