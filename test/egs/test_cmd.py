"""egs/common/cmd.sh and run_array: the command that every parallel stage goes through."""

import os
import subprocess
from pathlib import Path

import pytest

COMMON = Path(__file__).parents[2] / "egs" / "common"
OURS = "python -m zspex_toolkit.bin.run_jobs --backend"


def commands(**environment):
    shown = f'. {COMMON}/cmd.sh; echo "$train_cmd"; echo "$cuda_cmd"'
    kept = {name: value for name, value in os.environ.items() if name not in ("train_cmd", "cuda_cmd", "cmd_backend")}
    return subprocess.check_output(["bash", "-c", shown], text=True, env={**kept, **environment}).splitlines()


@pytest.mark.parametrize("backend", ["local", "slurm", "sge"])
def test_a_back_end_is_chosen_by_its_name(backend):
    assert commands(cmd_backend=backend) == [f"{OURS} {backend}"] * 2


def test_without_a_choice_jobs_run_here():
    assert commands() == [f"{OURS} local"] * 2


def test_a_sites_own_command_comes_before_the_local_back_end_but_not_before_one_asked_for():
    assert commands(train_cmd="queue.pl --mem 4G") == ["queue.pl --mem 4G"] * 2
    assert commands(train_cmd="queue.pl", cuda_cmd="queue.pl -q g.q") == ["queue.pl", "queue.pl -q g.q"]
    assert commands(train_cmd="queue.pl", cmd_backend="slurm") == [f"{OURS} slurm"] * 2


def test_a_sites_own_command_gets_the_jobs_of_a_stage(tmp_path):
    """By Kaldi's contract; its programs are called with what they know: no option of ours but theirs."""
    queue = tmp_path / "queue.pl"
    queue.write_text(
        "#!/bin/bash\n"
        'printf "%s\\n" "$@" >called\n'
        "while [[ $1 == -* ]]; do shift 2; done; last=${1#*:} log=$2; shift 2\n"
        'for ((n = 1; n <= last; n++)); do mkdir -p "$(dirname "$log")"; "${@//JOB/$n}" >"${log//JOB/$n}"; done\n'
    )
    queue.chmod(0o755)
    script = (
        f"COMMON={COMMON} exp=exp nj=2; . $COMMON/stages.sh; . $COMMON/recipe.sh; . $COMMON/cmd.sh; "
        "run_array \"$train_cmd\" hello $'echo one\\necho two'"
    )
    environment = {**os.environ, "train_cmd": f"{queue} --mem 4G", "cmd_backend": "local"}
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True, env=environment, capture_output=True)
    assert [(tmp_path / f"exp/log/hello.{n}.log").read_text() for n in (1, 2)] == ["one\n", "two\n"]
    called = (tmp_path / "called").read_text().splitlines()
    assert called[:5] == ["--mem", "4G", "--max_jobs_run", "2", "JOB=1:2"]
