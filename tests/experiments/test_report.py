"""What of an experiment's runs is said to be the best."""

import numpy as np

from emkd_tf.experiments.report import findings, marked

USERS = 400


def test_the_best_is_marked_only_beyond_chance(grid, planned, finish):
    rng = np.random.default_rng(1)
    one = rng.integers(1, 30, size=400)
    for cell in planned:
        if cell.seed == 0:
            again = rng.permutation(one) if cell.label == "large" else one
            finish(cell, again)
    assert marked(findings(grid, "sample", planned)) == {}


def test_seeds_that_disagree_mark_nothing(grid, planned, finish):
    """Over users the means of two seeds differ beyond chance, over seeds not."""
    rng = np.random.default_rng(1)
    worst = {("small", 0): 20, ("small", 1): 20, ("large", 0): 8, ("large", 1): 19}
    for cell in planned:
        finish(cell, rng.integers(1, worst[cell.label, cell.seed], size=USERS))
    found = findings(grid, "sample", planned)
    (difference,) = (r.difference for r in found.results if r.difference)
    assert difference.p_users < 1e-4
    assert difference.p_seeds > 0.05
    assert marked(found) == {}


def test_nothing_is_finished(grid, planned):
    assert marked(findings(grid, "sample", planned)) == {}
