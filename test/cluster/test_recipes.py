"""Both mini recipes on a real Slurm, each training on two nodes, and on a real Grid Engine."""

import pytest
from support.recipes import OPTIONS, assert_same_on

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(3000)]


@pytest.mark.parametrize("backend", ["slurm", "sge"])
@pytest.mark.parametrize("task", OPTIONS)
def test_every_stage_runs_and_the_files_are_those_of_one_machine(task, backend, require, local_run, tmp_path):
    require(backend)
    assert_same_on(backend, task, local_run(task), tmp_path / "work")
