import pytest

from zspex_toolkit import registry
from zspex_toolkit.train.config import TrainConfig


@pytest.mark.parametrize("name", registry.available("train.schedules"))
def test_every_schedule_stays_between_zero_and_the_learning_rate(name):
    config = TrainConfig(warmup_steps=5, plateau_patience=0)
    schedule = registry.load("train.schedules", name)
    assert all(0 <= schedule(step, 20, [1.0] * (step // 4), config) <= 1 for step in range(20))


@pytest.mark.parametrize("name", ["cosine", "warmup_cosine", "warmup_stable_decay", "plateau"])
def test_none_falls_below_the_least_learning_rate(name):
    config = TrainConfig(learning_rate=0.1, min_learning_rate=0.01, plateau_patience=0)
    factor = registry.load("train.schedules", name)(100, 100, [1.0] * 50, config)
    assert factor * config.learning_rate == pytest.approx(0.01)


def test_plateau_waits_for_its_patience_and_starts_again_after_each_step():
    plateau = registry.load("train.schedules", "plateau")
    config = TrainConfig(plateau_patience=2, plateau_factor=0.5)
    factors = [plateau(0, 1, [1.0] * epochs, config) for epochs in range(8)]
    assert factors == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert plateau(0, 1, [4.0, 3.0, 2.0, 1.0, 0.5], config) == 1
    assert plateau(0, 1, [1.0, float("nan"), float("nan"), float("nan")], config) == 0.5
