"""SIGKILL at any moment: started again, a training ends as if nothing had been, and leaves nothing behind.

The moments are the same in every run; ZSPEX_TEST_SEED=17 draws others.
"""

import os
import random
import time

import pytest
from support.several import FORK
from support.toy import history_without_times, toy_train


def start(exp_dir, settings):
    process = FORK.Process(target=toy_train, args=(exp_dir,), kwargs=settings)
    process.start()
    return process


def results(exp_dir):
    """All that a training leaves but times: weights, history and the names of its files."""
    weights = [(exp_dir / f"{name}.safetensors").read_bytes() for name in ("best", "last")]
    names = {path.name for path in exp_dir.rglob("*") if not path.name.startswith("events.")}
    return weights, history_without_times(exp_dir), names


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [0, 1])
def test_killed_at_ten_random_moments_it_ends_the_same_each_time(tmp_path, num_workers):
    settings = {"num_epochs": 3, "checkpoint_steps": 1, "num_workers": num_workers, "seconds_per_item": 0.002}
    begin = time.monotonic()
    whole = start(tmp_path / "whole", settings)
    whole.join(120)
    took_s = time.monotonic() - begin
    expected = results(tmp_path / "whole")
    assert whole.exitcode == 0 and not [name for name in expected[2] if name.startswith(".")]
    seed = int(os.environ.get("ZSPEX_TEST_SEED", 0))
    rng = random.Random(seed)
    for number in range(10):
        exp_dir = tmp_path / str(number)
        while not (exp_dir / "done").exists():  # killed once, or more often, the later the rarer
            process = start(exp_dir, settings)
            process.join(rng.uniform(0, 1.2 * took_s) if rng.random() < 0.7 else 120)
            process.kill()
            process.join()
        assert results(exp_dir) == expected, f"seed {seed}, number {number}"
