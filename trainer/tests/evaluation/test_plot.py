from PIL import Image

from cropvlm_trainer.evaluation.plot import draw_expansion


def test_the_plot_is_a_picture_with_a_curve(tmp_path):
    path = tmp_path / "new" / "plot.png"
    draw_expansion(path, {2.0: 0.6, 0.5: 0.3, 1.0: 0.5}, 0.4, "VQA accuracy")
    image = Image.open(path).convert("RGB")
    blue = sum(count for count, (r, g, b) in image.getcolors(1 << 20) if b > r + 80)
    assert (image.format, image.size, blue > 500) == (None, (900, 600), True)
