"""The votes of the examples, against plain linear algebra."""

import numpy as np
import pytest

from bot.understanding import fit


def test_votes_and_left_out_scores_are_those_of_the_equations() -> None:
    chooser = np.random.default_rng(0)
    points = chooser.normal(size=(40, 6))
    kernel = points @ points.T / 6 + np.eye(40) / 2
    targets = np.zeros((40, 4))
    targets[np.arange(40), chooser.integers(0, 3, 40)] = 1
    free = np.zeros(40, dtype=bool)
    free[[3, 17, 28]] = True
    targets[free] = [0, 0, 0, -0.3]

    votes, left_out = fit._solve(kernel.astype(np.float32), targets, free)

    for at in (0, 17):  # left out by hand: the equations without that row
        rest = np.arange(40) != at
        wanted = targets + np.where(free[:, None], left_out * [1, 1, 1, 0], 0)
        alone = np.linalg.solve(kernel[np.ix_(rest, rest)] + fit.RIDGE * np.eye(39), wanted[rest])
        assert left_out[at, 3] == pytest.approx(kernel[at, rest] @ alone[:, 3], abs=1e-4)
    assert np.abs(votes[free, :3]).max() < 0.1 * np.abs(votes[~free, :3]).max(), "they hardly count for a class"
    assert np.abs(votes[free, 3]).min() > 0.01, "and do count for danger"
