"""egs/mini/tse1 on a real Slurm, trained on two nodes, and on a real Grid Engine."""

import pytest
from recipes import assert_same_on

TASK = "tse1"

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.mark.parametrize("backend", ["slurm", "sge"])
def test_every_stage_runs_and_the_files_are_those_of_one_machine(backend, require, local_run, tmp_path):
    require(backend)
    assert_same_on(backend, TASK, local_run(), tmp_path / "work")
