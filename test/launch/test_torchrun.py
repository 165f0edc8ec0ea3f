"""torchrun without its traceback."""

import subprocess
import sys

import pytest


@pytest.fixture
def start(tmp_path):
    def call(program):
        script = tmp_path / "program.py"
        script.write_text(f"import os, signal, sys\nrank = os.environ['RANK']\n{program}\n")
        command = [sys.executable, "-m", "zspex_toolkit.launch.torchrun", "--standalone", "--nproc_per_node", "2"]
        done = subprocess.run([*command, script], capture_output=True, text=True, cwd=tmp_path, timeout=400)
        return done.returncode, done.stderr

    return call


@pytest.mark.slow
def test_processes_that_end_well_end_well(start):
    assert start("pass")[0] == 0


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("if rank == '1': sys.exit('data/a:3: expected two fields')", "ended with status 1"),
        pytest.param(
            "if rank == '1': print('data/a:3: gone', file=sys.stderr); os.kill(os.getpid(), 9)",
            "was killed by SIGKILL",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_process_that_fails_is_one_line_below_what_it_said(start, program, how):
    status, said = start(program)
    assert status == 1
    assert "data/a:3: " in said and "Traceback" not in said
    assert said.splitlines()[-1].startswith("torchrun: process 1 (pid ")
    assert said.splitlines()[-1].endswith(f") {how}; what is said first above tells why")


# One signal alone: a second one would end it at once, and leave the processes to themselves.
SIGNALS = """
if rank == '0':
    {wait}
    os.kill(os.getppid(), 15)
open('up', 'w').close()
signal.pause()
"""


@pytest.mark.slow
@pytest.mark.parametrize("wait", ["pass", "import time\n    while not os.path.exists('up'): time.sleep(0.01)"])
def test_a_signal_to_it_is_one_line_and_leaves_no_process_even_while_they_are_started(start, wait):
    status, said = start(SIGNALS.format(wait=wait))  # which waits for all that hold its output
    assert status == 1
    assert "Traceback" not in said and said.splitlines()[-1] == "torchrun: stopped by SIGTERM"
