"""One process compiles, a failure is remembered, and a compiler that hangs is ended with all that it started."""

import os
import subprocess
import sys
import time

import pytest

from zspex_toolkit.native import compilation
from zspex_toolkit.native.compilation import NoLibraryError, compile_once, is_whole, run_compiler

# Ends its arguments by "-o output"; counts its calls beside itself.
COMPILER = """#!/bin/sh
echo >>"$0.calls"
{does}
for output; do :; done
echo compiled >"$output"
"""


@pytest.fixture
def compiler(tmp_path):
    """A function of shell commands to a compiler that does them first."""

    def make(does=""):
        path = tmp_path / "compiler"
        path.write_text(COMPILER.format(does=does))
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def target(tmp_path):
    return tmp_path / "cache" / "native-1.so"


def num_calls(compiler):
    with open(f"{compiler}.calls") as calls:
        return len(calls.readlines())


def test_several_processes_at_once_compile_once(compiler, target):
    slow = compiler("sleep 1")
    program = (
        "import sys; from pathlib import Path; from zspex_toolkit.native.compilation import compile_once;"
        "compile_once([sys.argv[1]], Path(sys.argv[2]), print)"
    )
    command = [sys.executable, "-c", program, slow, target]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = sorted(process.communicate(timeout=120)[0] for process in processes)
    assert said == ["", "", f"compiling for this processor with {slow}, once\n"]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert num_calls(slow) == 1 and is_whole(target)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_failure_is_noted_and_not_tried_again_for_a_day(compiler, target):
    broken, note = compiler("echo 'a.cpp:1: error: odd' >&2; exit 1"), target.with_suffix(".failed")
    with pytest.raises(NoLibraryError, match=r"cannot compile: a.cpp:1: error: odd$"):
        compile_once([broken], target, print)
    message = rf"cannot compile: a.cpp:1: error: odd \(delete {note} to try again\)"
    with pytest.raises(NoLibraryError, match=message):
        compile_once([broken], target, print)
    assert num_calls(broken) == 1
    os.utime(note, (time.time() - 25 * 3600,) * 2)
    with pytest.raises(NoLibraryError):
        compile_once([broken], target, print)
    assert num_calls(broken) == 2
    note.unlink()
    compile_once([compiler()], target, print)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_compiler_that_hangs_is_ended_with_what_it_started(compiler, target, monkeypatch):
    monkeypatch.setattr(compilation, "TIMEOUT_S", 1.0)
    hanging = compiler('sleep 600 & echo $! >"$0.child"; wait')
    begin = time.monotonic()
    with pytest.raises(NoLibraryError, match=r"did not end within 1 seconds$"):
        compile_once([hanging], target, print)
    assert time.monotonic() - begin < 60
    with open(f"{hanging}.child") as file:
        child = int(file.read())
    assert is_gone(child)
    assert target.with_suffix(".failed").read_text() == f"{hanging} did not end within 1 seconds\n"


def is_gone(process):
    """Within ten seconds; one that nobody has waited for counts."""
    for _ in range(100):
        try:
            with open(f"/proc/{process}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.1)
    return False


def test_who_waits_for_too_long_gives_up(compiler, target, monkeypatch):
    monkeypatch.setattr(compilation, "TIMEOUT_S", -20.0)
    target.parent.mkdir()
    hold = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, target.with_suffix(".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(NoLibraryError, match=r"another process has held .*native-1.lock for too long"):
            compile_once([compiler()], target, print)
        holder.stdin.close()
    assert target.with_suffix(".lock").exists()


def test_a_disk_without_locks_is_no_hindrance(compiler, target, monkeypatch):
    def refuse(*arguments):
        raise OSError("No locks available")

    monkeypatch.setattr("fcntl.lockf", refuse)
    compile_once([compiler()], target, print)
    assert is_whole(target)


def test_what_nobody_has_used_for_a_month_goes(compiler, target):
    target.parent.mkdir()
    for name, days in (("native-2.so", 31), ("native-3.so", 29), ("native-2.failed", 31), ("other.so", 31)):
        path = target.with_name(name)
        path.touch()
        os.utime(path, (time.time() - days * 24 * 3600,) * 2)
    compile_once([compiler()], target, print)
    assert {path.name for path in target.parent.iterdir()} == {"native-1.so", "native-3.so", "other.so"}


def test_a_compiler_says_what_it_says():
    done = run_compiler(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=60)
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
