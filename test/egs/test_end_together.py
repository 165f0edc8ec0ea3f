"""egs/common/end_together.sh: a recipe that is told to end leaves no process behind, whoever tells it.

And SIGKILL of all that a recipe has running, at random moments: started again, it ends with the same results. The
moments are the same in every run; ZSPEX_TEST_SEED=17 draws others.
"""

import os
import pty
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from support import fake_cluster, marked
from support.same_files import assert_same_files
from support.waiting import wait_for

COMMON = Path(__file__).parents[2] / "egs" / "common"
RECIPE = Path(__file__).parents[2] / "egs" / "mini" / "demix1" / "run.sh"

SCRIPT = f"""#!/usr/bin/env bash
set -euo pipefail
COMMON={COMMON}
. $COMMON/end_together.sh
. $COMMON/stages.sh
. $COMMON/recipe.sh
. $COMMON/cmd.sh
exp=exp nj=2 stage=1 stop_stage=1 force=false marks=marks
{{
    if in_stage 1 "Work"; then
        %s
        touch followed
    fi
    finish
    exit 3
}}
"""
SAVES = f"""#!{sys.executable}
import pathlib, signal, sys, time
def save(*_):
    time.sleep(0.3)
    pathlib.Path("saved." + sys.argv[1]).touch()
    sys.exit(75)
signal.signal(signal.SIGTERM, save)
pathlib.Path("ready." + sys.argv[1]).touch()
time.sleep(600)
"""
WORK = {
    "jobs": 'run_array "$train_cmd" work "$(for n in 1 2; do echo "./saves.py $n; touch followed"; done)"',
    "a command": "touch ready.1 ready.2; sleep 600",
    "a command within another": "touch ready.1 ready.2; text=$(sleep 600 | cat)",
    "what runs in the background": "sleep 600 & (sleep 600 | cat) & touch ready.1 ready.2; wait",
}
TOLD = "work.sh: told to end; ended stage 1 (Work), with all that it ran; the same command goes on from there\n"


class Started:
    """A script that runs, in a session of its own, until both its jobs do."""

    def __init__(self, folder, work, *before):
        (folder / "saves.py").write_text(SAVES)
        (folder / "work.sh").write_text(SCRIPT % WORK[work])
        for program in ("saves.py", "work.sh"):
            (folder / program).chmod(0o755)
        self.folder, self.mark, self.command = folder, uuid.uuid4().hex, [*before, "./work.sh"]
        self.environment = {**os.environ, marked.NAME: self.mark}

    def start(self):
        with (self.folder / "said").open("w") as said:
            options = {"cwd": self.folder, "env": self.environment, "start_new_session": True}
            self.process = subprocess.Popen(self.command, stdout=said, stderr=said, **options)
        self.wait_until_ready()
        return self

    def start_in_terminal(self):
        """Gives the process's number and the terminal."""
        number, terminal = pty.fork()
        if number == 0:
            os.chdir(self.folder)
            os.execve(self.command[0], self.command, self.environment)
        self.wait_until_ready()
        return number, terminal

    def wait_until_ready(self):
        wait_for(lambda: len(list(self.folder.glob("ready.*"))) == 2, self.said)

    def said(self):
        return (self.folder / "said").read_text() if (self.folder / "said").exists() else ""

    def left(self):
        return marked.marked(self.mark)

    def jobs_have_saved(self):
        names = {path.name for path in self.folder.iterdir()}
        logs = [(self.folder / f"exp/log/work.{number}.log").read_text() for number in (1, 2)]
        return {"saved.1", "saved.2"} <= names and "followed" not in names and all("(code 75)" in log for log in logs)


@pytest.fixture
def script(tmp_path):
    """Make a script ready to start; what a failed test leaves is killed."""
    scripts = []

    def make(work, *before):
        scripts.append(Started(tmp_path, work, *before))
        return scripts[-1]

    yield make
    for one in scripts:
        marked.kill_all(one.mark)


@pytest.mark.parametrize("work", WORK)
def test_told_to_end_it_ends_all_that_it_started(script, tmp_path, work):
    started = script(work).start()
    started.process.terminate()
    assert started.process.wait() == 143
    assert started.left() == []
    assert started.said().endswith(TOLD) and "failed" not in started.said()
    assert not (tmp_path / "followed").exists()
    assert work != "jobs" or started.jobs_have_saved()


def to_the_process(number):
    return lambda started: started.process.send_signal(number)


def to_its_group(number):
    return lambda started: os.killpg(started.process.pid, number)


def to_all(started):
    """As a container or a service that is stopped."""
    marked.signal_all(started.mark, signal.SIGTERM)


@pytest.mark.parametrize(
    ("tell", "status", "before"),
    [
        (to_the_process(signal.SIGHUP), 129, ()),
        (to_the_process(signal.SIGINT), -signal.SIGINT, ()),
        (to_its_group(signal.SIGTERM), 143, ()),
        (to_all, 143, ()),
        (to_the_process(signal.SIGTERM), 143, ("timeout", "600")),  # which tells it, then its group
        (to_the_process(signal.SIGTERM), 143, ("nohup",)),
    ],
    ids=["HUP", "INT", "TERM to its group", "TERM to all", "timeout", "TERM below nohup"],
)
def test_however_it_is_told_its_jobs_save(script, tell, status, before):
    started = script("jobs", *before).start()
    tell(started)
    assert started.process.wait() == status
    assert started.left() == [] and started.jobs_have_saved()
    assert started.said().endswith(TOLD)


@pytest.mark.parametrize("kill", [to_the_process(signal.SIGKILL), to_its_group(signal.SIGKILL)], ids=["it", "group"])
def test_killed_it_leaves_nothing_either(script, kill):
    started = script("jobs").start()
    kill(started)
    assert started.process.wait() == -signal.SIGKILL
    wait_for(lambda: not started.left())
    assert started.jobs_have_saved()


@pytest.mark.parametrize(
    ("act", "status"),
    [(os.close, 129), (lambda terminal: os.write(terminal, b"\3"), -signal.SIGINT)],  # the end of a script around it
    ids=["closed", "ctrl-c"],
)
def test_a_terminal_that_closes_or_sends_ctrl_c_ends_all(script, act, status):
    started = script("jobs")
    number, terminal = started.start_in_terminal()
    act(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == status
    assert started.left() == [] and started.jobs_have_saved()


def test_nohup_protects_it_and_its_jobs_from_a_terminal_that_closes(script):
    started = script("jobs", "nohup").start()
    marked.signal_all(started.mark, signal.SIGHUP)
    time.sleep(1)
    assert started.process.poll() is None and not list(started.folder.glob("saved.*"))
    assert "interrupted" not in started.said()


def test_a_further_signal_ends_jobs_at_once_that_do_not_save(script, tmp_path):
    started = script("jobs")
    (tmp_path / "saves.py").write_text(SAVES.replace("time.sleep(0.3)", "time.sleep(600)"))
    started.start()
    started.process.terminate()
    wait_for(lambda: "waiting for jobs to save" in started.said())
    while started.process.poll() is None:
        time.sleep(0.5)
        started.process.terminate()
    assert started.process.wait() == 143 and started.left() == []
    assert (tmp_path / "exp/log/work.1.log").read_text().count("# Ended (code 0; signal 9)") == 1


def test_jobs_on_a_cluster_are_cancelled(script, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "fake").mkdir()
    fake_cluster.install(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("FAKE", str(tmp_path / "fake"))
    monkeypatch.setenv("cmd_backend", "slurm")
    monkeypatch.delenv("train_cmd", raising=False)
    monkeypatch.delenv("cuda_cmd", raising=False)
    started = script("jobs")
    (tmp_path / "saves.py").write_text(SAVES.replace("time.sleep(600)", "[time.sleep(1) for _ in range(600)]"))
    # Tasks of this cluster run one after the other.
    started.wait_until_ready = lambda: wait_for((tmp_path / "ready.1").exists, started.said)
    started.start()
    started.process.terminate()
    assert started.process.wait() == 143
    assert "scancel 1" in (tmp_path / "fake/called").read_text().splitlines()
    wait_for(lambda: not started.left())
    assert (tmp_path / "saved.1").exists() and not (tmp_path / "ready.2").exists()
    assert started.said().endswith(TOLD)


def test_what_ends_by_itself_has_its_own_status_and_its_end_is_not_waited_for(script):
    started = script("a command")
    text = (started.folder / "work.sh").read_text().replace("sleep 600", "(sleep 100 >/dev/null &) ; true")
    (started.folder / "work.sh").write_text(text)
    started.start()
    assert started.process.wait() == 3
    assert "Successfully finished." in started.said() and (started.folder / "followed").exists()
    assert "told to end" not in started.said()


NET = "--network_options.channels=32 --network_options.pooled_channels=48 --network_options.embedding_dim=32"
SMALL = ("--corpus_options", "{num_speakers: 6, num_utterances: 6}", "--conditions", "snr0", "--embedder_args", NET)
LONG = "--train.num_epochs 100000 --train.num_workers 1"
TO_BE_TOLD = ("--stop_stage", "3", "--exp_tag", "long", "--train_args", LONG)
TO_BE_KILLED = (
    *("--givens", "e2", "--functions", "subtract separate_concat", "--segments_per_utterance", "2"),
    *("--train_args", "--train.num_epochs 2 --train.checkpoint_steps 3"),
)


def start_recipe(work, said, mark, *options):
    """The mini recipe; what it says is added to the file ``said``."""
    with said.open("a") as out:
        command, environment = [RECIPE, "--work_dir", work, *SMALL, *options], {**os.environ, marked.NAME: mark}
        return subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)


def end_amid_training(folder, told, processes):
    """Start the recipe, tell it in the midst of its training, wait until nothing of it is left; gives its status."""
    mark, log = uuid.uuid4().hex, folder / "exp/demix_long/embedder/train.log"
    epochs = lambda: log.read_text().count("epoch ") if log.exists() else 0  # noqa: E731
    before, said = epochs(), folder / f"said.{mark}"
    process = start_recipe(folder, said, mark, *TO_BE_TOLD, "--num_processes", processes)
    try:
        wait_for(lambda: epochs() > before + 3, said.read_text)
        process.send_signal(told)
        status = process.wait()
        if told == signal.SIGKILL:
            wait_for(lambda: not marked.marked(mark))
        assert marked.marked(mark) == []
    finally:
        marked.kill_all(mark)
    assert "ended stage 3 (Train A, the embedder), with all that it ran" in said.read_text()
    return status


@pytest.mark.slow
def test_a_recipe_told_to_end_amid_a_training_leaves_a_checkpoint_and_no_process(tmp_path):
    assert end_amid_training(tmp_path, signal.SIGTERM, "1") == 143
    assert end_amid_training(tmp_path, signal.SIGHUP, "2") == 129
    assert end_amid_training(tmp_path, signal.SIGKILL, "1") == -signal.SIGKILL
    log = (tmp_path / "exp/demix_long/embedder/train.log").read_text()
    assert log.count("stopped by SIGTERM; start the same command again to go on from") == 3


def run_with_kills(work, count):
    """Kill the recipe ``count`` times, each a random while after it was started again; then let it end well."""
    rng, said = random.Random(seed := int(os.environ.get("ZSPEX_TEST_SEED", 0))), work.with_suffix(".log")
    for _ in range(count):
        mark = uuid.uuid4().hex
        process = start_recipe(work, said, mark, *TO_BE_KILLED)
        time.sleep(rng.uniform(0.2, 12))
        marked.kill_all(mark)
        process.wait()
    assert start_recipe(work, said, "whole", *TO_BE_KILLED).wait() == 0, f"seed {seed}: {said.read_text()[-2000:]}"


@pytest.mark.slow
def test_killed_at_twenty_random_moments_a_recipe_ends_with_the_same_results(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_with_kills(whole, 0)
    run_with_kills(killed, 20)
    assert_same_files(whole, killed)
