from random import Random

from cropvlm_trainer.pretrain.regions import reading_region


def test_the_widest_crops_are_wide_and_hold_the_answer():
    answer, evidence = (40, 45, 46, 47), (38, 38, 48, 48)
    for width, most in ((1, 22), (2, 65)):
        regions = [reading_region(Random(seed), answer, evidence, width) for seed in range(300)]
        assert all(r[0] < 40 and r[1] < 45 and r[2] > 46 and r[3] > 47 for r in regions)
        widest = max(r[2] - r[0] for r in regions)
        assert 0.75 * most < widest < most
