"""What a killed process left half-written goes when the same is written again; what a living one writes stays."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from zspex_toolkit.io import temporary
from zspex_toolkit.io.atomic import atomic_path, write_text
from zspex_toolkit.io.temporary import remove_leftovers, remove_temporaries, temporary_folder, temporary_path

WRITE = """
from zspex_toolkit.io.atomic import write_text
for path in sys.argv[1:]:
    write_text(path, "whole")
"""
HOLD = """
import sys
from pathlib import Path
from zspex_toolkit.io.temporary import temporary_path
with temporary_path(Path(sys.argv[1])) as path:
    path.write_text("half")
    print(path.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that has written half of ``tmp_path / "a"``, and the name under which."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "a"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


def test_the_name_is_hidden_has_twelve_digits_and_is_no_others(tmp_path):
    with temporary_path(tmp_path / "a.b.txt", ".txt") as one, temporary_path(tmp_path / "a.b.txt", ".txt") as two:
        assert re.fullmatch(r"\.a\.b\.[0-9a-f]{12}\.txt", one.name) and one.parent == tmp_path
        assert one != two


@pytest.mark.parametrize("name", ["a", "a.txt", "a.b.wav"])
def test_what_a_killed_process_left_goes_when_the_same_file_is_written_and_nothing_else(
    tmp_path, killed_at_renaming, name
):
    for each in (name, f"other.{name}"):
        assert killed_at_renaming(1, WRITE, tmp_path / each)
    assert len(list(tmp_path.glob(".*"))) == 2
    (tmp_path / f".{name}").write_text("foreign")
    killed_at_renaming(0, WRITE, tmp_path / name)
    assert {path.name[:7] for path in tmp_path.glob(".*")} == {f".{name}"[:7], ".other."}
    killed_at_renaming(0, WRITE, tmp_path / f"other.{name}")
    assert sorted(os.listdir(tmp_path)) == sorted([f".{name}", name, f"other.{name}"])


def test_what_a_living_process_writes_stays(tmp_path, holder):
    _, name = holder
    write_text(tmp_path / "a", "whole")
    assert sorted(os.listdir(tmp_path)) == sorted([name, "a"])


def test_a_killed_process_that_its_parent_has_not_waited_for_is_dead(tmp_path, holder):
    process, _ = holder
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    write_text(tmp_path / "a", "whole")
    assert os.listdir(tmp_path) == ["a"]


def test_an_earlier_process_of_the_same_number_is_dead(tmp_path):
    with temporary_path(tmp_path / "a") as left:
        pass
    left.mkdir()
    temporary._temporaries_in.cache_clear()
    with temporary_path(tmp_path / "a") as own:
        own.write_text("half")
        assert os.listdir(tmp_path) == [own.name]
        temporary._temporaries_in.cache_clear()
        remove_leftovers(tmp_path / "a")
        assert own.exists()


@pytest.mark.parametrize(("age_s", "stays"), [(3600, True), (90_000, False)])
def test_of_another_machine_what_did_not_change_for_a_day_is_left_over(tmp_path, holder, monkeypatch, age_s, stays):
    _, name = holder
    os.utime(tmp_path / name, 2 * (time.time() - age_s,))
    other = temporary._machine() ^ 1
    monkeypatch.setattr(temporary, "_machine", lambda: other)
    write_text(tmp_path / "a", "whole")
    assert (tmp_path / name).exists() == stays


def test_a_folder_is_looked_through_once(tmp_path, monkeypatch):
    calls, listdir = [], os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: calls.append(folder) or listdir(folder))
    for number in range(20):
        write_text(tmp_path / str(number), "whole")
    assert calls == [tmp_path]


def test_of_a_folder_nothing_stays_behind_whether_its_block_ends_or_fails(tmp_path):
    with temporary_folder(tmp_path / "a") as folder:
        folder.mkdir()
        (folder / "b").write_text("half")
    assert os.listdir(tmp_path) == []
    with pytest.raises(KeyboardInterrupt), temporary_folder(tmp_path / "a") as folder:
        (folder / "b").mkdir(parents=True)
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    with atomic_path(tmp_path / "a.b.txt") as temporary:
        temporary.write_text("half")
        left = tmp_path / temporary.name.replace("a.b", "other")
        left.write_text("half")
    with atomic_path(tmp_path / "plain") as temporary:
        temporary.write_text("half")
        (tmp_path / temporary.name.replace("plain", "more")).write_text("half")
    (tmp_path / ".lock").write_text("")
    (tmp_path / ".bashrc.conf").write_text("")
    remove_temporaries(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".bashrc.conf", ".lock", "a.b.txt", "plain"]
