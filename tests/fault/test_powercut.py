"""ACC-45: some rounds of powercut.py; the campaign is that script itself, with --rounds 600."""
import random

import powercut


def test_power_cuts(need, long, tmp_path):
    need("mkfs.ext4", "losetup", root=True)
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    passed, wrong = powercut.run(100 if long else 10, 1.5, seed, tmp_path)
    assert not wrong, f"after {passed} rounds: {wrong}"
