"""Tests of working in several processes."""

import os
import signal
import subprocess
import sys
import time

import pytest

from zspex_toolkit.errors import AudioError, ConfigError, JobError
from zspex_toolkit.io.processes import each_in_processes, map_in_processes


def _square(number):
    return number**2


def _process_of(_):
    return os.getpid()


def _fail_at_three(number):
    if number == 3:
        raise AudioError("three.wav: empty file")
    return number


def _die_at_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("nj", [1, 2, 3, 9])
def test_results_are_in_the_order_of_the_items(nj):
    assert map_in_processes(_square, range(7), nj) == [0, 1, 4, 9, 16, 25, 36]


@pytest.mark.parametrize("nj", [1, 2, 3])
def test_each_result_comes_with_its_place_while_others_are_still_to_be_made(nj):
    results = each_in_processes(_square, range(200_000), nj)
    first = [next(results) for _ in range(9)]
    results.close()  # or it would take seconds
    assert len(dict(first)) == 9 and all(result == index**2 for index, result in first)


def test_no_items_give_no_results():
    assert map_in_processes(_square, [], 4) == []


def test_the_work_is_spread_over_the_processes():
    found = map_in_processes(_process_of, range(8), 2)
    assert len(set(found)) == 2 and os.getpid() not in found


@pytest.mark.parametrize("nj", [1, 2])
def test_an_error_in_any_process_is_raised_here(nj):
    with pytest.raises(AudioError, match=r"three\.wav: empty file"):
        map_in_processes(_fail_at_three, range(6), nj)


def test_a_killed_process_is_reported():
    with pytest.raises(JobError, match=r"levels: a process was killed \(status -9\); out of memory\?"):
        map_in_processes(_die_at_three, range(6), 2, label="levels")


def test_no_process_is_refused():
    with pytest.raises(ConfigError, match="nj: expected 1 process or more, got 0"):
        map_in_processes(_square, [1], 0)


def test_workers_end_when_their_parent_is_killed(tmp_path):
    marks = tmp_path / "marks"
    program = f"""
import time
from zspex_toolkit.io.processes import map_in_processes

def mark(number):
    time.sleep(0.05)
    with open({str(marks)!r}, "a") as stream:
        stream.write("x")

if __name__ == "__main__":
    map_in_processes(mark, range(10**4), 2)
"""
    (tmp_path / "program.py").write_text(program)
    process = subprocess.Popen([sys.executable, tmp_path / "program.py"])
    while not marks.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    while subprocess.run(["pgrep", "-f", tmp_path / "program.py"], stdout=subprocess.DEVNULL).returncode == 0:
        time.sleep(0.05)  # an item in hand may still end; the time limit of the test speaks if they live on
    assert marks.stat().st_size < 10**4
