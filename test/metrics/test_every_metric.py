"""The contract of a metric: one documented function with the name of its file, numbers out, nonsense refused."""

import inspect

import numpy as np
import pytest

from zspex_toolkit.registry import available, load


@pytest.mark.parametrize("name", available("metrics"))
class TestEveryMetric:
    def test_the_function_has_the_name_of_its_file(self, name):
        assert load("metrics", name).__name__ == name

    def test_it_is_documented_with_a_worked_example(self, name):
        assert all(part in load("metrics", name).__doc__ for part in ("Args:", "Raises:", ">>>"))

    def test_labels_and_values_of_two_trials_give_finite_numbers(self, name):
        metric = load("metrics", name)
        count = sum(p.default is inspect.Parameter.empty for p in inspect.signature(metric).parameters.values())
        assert np.isfinite(metric(*[np.array([1.0, 0.0])] * count)).all()

    def test_arguments_of_unequal_size_are_refused(self, name):
        metric = load("metrics", name)
        names = [p.name for p in inspect.signature(metric).parameters.values()][:2]
        with pytest.raises(ValueError, match="expected"):
            metric(**{names[0]: np.array([1.0, 0.0]), names[1]: np.array([1.0, 0.0, 1.0])})
