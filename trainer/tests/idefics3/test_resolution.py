import pytest

from cropvlm_trainer.idefics3.resolution import check_resolution


def test_a_longest_edge_is_a_multiple_of_the_tile_that_has_token_names():
    for resolution in (64, 128, 6 * 64):
        check_resolution("resolution", resolution, 64)
    with pytest.raises(ValueError, match="^resolution 96 must be a multiple of the model's tiles, 64 pixels$"):
        check_resolution("resolution", 96, 64)
    with pytest.raises(ValueError, match="^resolution 448 is too large: the model's tiles have names up to 384$"):
        check_resolution("resolution", 7 * 64, 64)
