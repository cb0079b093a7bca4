from PIL import Image

from cropvlm_trainer.chat.messages import data_url, shrunk


def test_only_larger_pictures_are_shrunk():
    picture = Image.new("RGB", (90, 30))
    assert shrunk(picture, 90) is picture
    assert shrunk(picture, None) is picture
    assert shrunk(picture, 45).size == (45, 15)
    assert shrunk(Image.new("RGB", (1000, 1)), 10).size == (10, 1)


def test_a_picture_that_is_encoded_is_not_changed():
    """Pillow would keep the settings of a save in it, and other threads may encode it at the same time."""
    picture = Image.new("RGB", (30, 20), "red")
    before = set(vars(picture))
    assert data_url(picture).startswith("data:image/jpeg;base64,") and set(vars(picture)) == before
