"""Tests of accuracy."""

import numpy as np
import pytest

from zspex_toolkit.metrics.accuracy import accuracy


def test_two_of_three_right():
    assert accuracy(np.array([4, 1, 2]), np.array([4, 1, 3])) == pytest.approx(2 / 3)


@pytest.mark.parametrize("labels", [([], []), ([1, 2], [1])])
def test_no_trials_or_unequal_numbers_are_refused(labels):
    with pytest.raises(ValueError, match="expected as many estimates as references, at least one"):
        accuracy(*map(np.array, labels))
