"""Trainings on a real Slurm, and one on a real Grid Engine, that are stopped, moved and killed, to no effect at all."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import safetensors.torch
import torch

from zspex_toolkit.errors import JobError
from zspex_toolkit.launch.contract import parse
from zspex_toolkit.launch.run_jobs import run_array
from zspex_toolkit.train.history import read_history

ROOT = Path(__file__).parents[2]
TOY = ROOT / "test" / "support" / "toy.py"
STARTER = ROOT / "egs" / "common" / "several_processes.sh"
TIMES = ("seconds", "data_share")
SETTINGS = json.dumps({"num_epochs": 2, "log_every": 1, "checkpoint_steps": 1})

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture
def run_on(require, monkeypatch):
    folders = [str(ROOT), str(TOY.parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, folders)))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def on(backend):
        require(backend)
        return lambda *argv: run_array(parse(["--backend", backend, "--requeue", "true", *map(str, argv)]))

    return on


@pytest.fixture
def run(run_on):
    return run_on("slurm")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The toy task trained without a cluster."""
    exp_dir = tmp_path_factory.mktemp("whole") / "exp"
    subprocess.run([sys.executable, TOY, exp_dir, SETTINGS, "0"], check=True, cwd=ROOT, env={**os.environ, **NO_SLURM})
    return exp_dir


NO_SLURM = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def toy(exp_dir, seconds_per_item):
    """The command of the toy training; in a job without blanks outside of quotes."""
    return (sys.executable, TOY, exp_dir, f"'{SETTINGS.replace(' ', '')}'", seconds_per_item)


def once(exp_dir, text, act):
    """Let ``act`` happen as soon as the log of the training in ``exp_dir`` says ``text``; in a thread."""

    def wait():
        deadline = time.monotonic() + 300
        while text not in (Path(exp_dir, "train.log").read_text() if Path(exp_dir, "train.log").exists() else ""):
            if time.monotonic() > deadline:
                return
            time.sleep(0.05)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def slurm_job():
    """Number of the one job of this folder that is in the queue."""
    listed = subprocess.check_output(["squeue", "--noheader", "--format", "%A %Z"], text=True).split()
    return listed[listed.index(os.getcwd()) - 1]


def assert_same(one, other):
    for name in ("best.safetensors", "last.safetensors"):
        assert Path(one, name).read_bytes() == Path(other, name).read_bytes()
    histories = [[{k: v for k, v in line.items() if k not in TIMES} for line in read_history(d)] for d in (one, other)]
    assert histories[0] == histories[1] and len(histories[0]) == 2
    assert not Path(other, ".lock").exists() and not Path(other, "stopped").exists()


def test_a_training_that_is_requeued_in_mid_epoch_ends_as_undisturbed(run, undisturbed):
    act = once("exp", "epoch 1, step 2/5", lambda: subprocess.run(["scontrol", "requeue", slurm_job()], check=True))
    run("log/x", *toy("exp", 0.25))
    act.join()
    assert "stopped by SIGTERM" in Path("exp/train.log").read_text()
    assert Path("log/x").read_text().count("# Running on") == 2
    assert_same(undisturbed, "exp")


def test_a_full_disk_in_one_job_is_told_and_the_others_finish(run, undisturbed):
    # A limit of 4 kB on the size of files stands for the disk.
    Path("limits").write_text("[ $1 = 1 ] || [ -e room ] || ulimit -f 4\n")
    argv = ("JOB=1:2", "log/x.JOB.log", "source", "limits", "JOB;", *toy("exp.JOB", 0))
    with pytest.raises(JobError) as error:
        run(*argv)
    said = Path("log/x.2.log").read_text()
    assert "cannot save (File too large); what was saved before is intact: make room" in said
    assert str(error.value).endswith("1 / 2 failed, log is in log/x.*.log")
    assert_same(undisturbed, "exp.1")
    Path("room").touch()
    run("--pick", "failed", *argv)
    assert_same(undisturbed, "exp.2")
    assert not [path for path in Path("exp.2").rglob(".*")]


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """The plain task trained by two processes without a cluster."""
    exp_dir = tmp_path_factory.mktemp("plain") / "exp"
    path = ":".join(map(str, (ROOT, TOY.parents[1])))
    command = [STARTER, "1", "2", "support.plain", "--exp_dir", exp_dir, "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    subprocess.run(command, check=True, env=environment)
    return exp_dir


def on_two_nodes(run, seconds_per_item, *options, log="log/x", exp_dir="exp"):
    argv = (STARTER, "2", "1", "support.plain", "--exp_dir", exp_dir, seconds_per_item)
    run("--num_nodes", "2", *options, log, *argv)


def hand_on_path_alone():
    """What Kaldi's and ESPnet's conf/slurm.conf have, and what Slurm hands on to the tasks of a job, too."""
    Path("conf").mkdir()
    lines = ("command sbatch --export=PATH", "option time=* --time $0", "option num_nodes=* --nodes $0")
    Path("conf/slurm.conf").write_text("\n".join(lines))


def test_two_nodes_train_as_one_process(run, two_processes, monkeypatch, tmp_path):
    on_two_nodes(run, 0)
    assert "2 processes: batch_size counts for all together" in Path("exp/train.log").read_text()
    assert_same(two_processes, "exp")
    environment = {**os.environ, "PYTHONPATH": os.environ["PYTHONPATH"]}
    subprocess.run([sys.executable, "-m", "support.plain", "--exp_dir", "one", "0"], check=True, env=environment)
    one, several = (safetensors.torch.load_file(f"{name}/last.safetensors") for name in ("one", "exp"))
    torch.testing.assert_close(several, one, rtol=1e-4, atol=1e-5)
    for line, other in zip(read_history("one"), read_history("exp"), strict=True):
        assert other["valid"] == pytest.approx(line["valid"], rel=1e-4)


def test_two_nodes_requeued_in_mid_epoch_end_as_undisturbed(run, two_processes):
    act = once("exp", "epoch 1, step 2/5", lambda: subprocess.run(["scontrol", "requeue", slurm_job()], check=True))
    hand_on_path_alone()
    on_two_nodes(run, 0.5)
    act.join()
    assert "stopped by SIGTERM" in Path("exp/train.log").read_text()
    assert Path("log/x").read_text().count("# Running on") == 2
    assert_same(two_processes, "exp")


def test_on_one_node_and_on_two_a_training_whose_time_is_over_in_mid_epoch_ends_as_undisturbed(
    run, undisturbed, two_processes
):
    # Slurm looks at limits twice a minute: the warning comes 60 to 90 seconds before the end.
    hand_on_path_alone()
    with ThreadPoolExecutor() as pool:
        two = pool.submit(on_two_nodes, run, 2, "--time", "2", log="log/two", exp_dir="two")
        run("--time", "2", "log/one", *toy("one", 2))
        two.result()
    for name, whole in (("one", undisturbed), ("two", two_processes)):
        assert "stopped by SIGUSR1" in Path(name, "train.log").read_text()
        assert Path("log", name).read_text().count("# Running on") >= 2
        assert_same(whole, name)


def test_on_grid_engine_a_training_whose_time_is_over_in_mid_epoch_ends_as_undisturbed(run_on, undisturbed):
    # It warns when the time is over, and kills a while later: after the minute that is set as notify of its queue.
    run_on("sge")("--time", "0:0:20", "log/x", *toy("exp", 0.9))
    assert "stopped by SIGUSR1" in Path("exp/train.log").read_text()
    assert Path("log/x").read_text().count("# Running on") >= 2
    assert_same(undisturbed, "exp")


def processes_of(job, node):
    """The daemons that watch over the job on that node of the cluster on this machine, then its processes.

    In this order they are killed: a daemon that sees its job die tells Slurm that the job has failed, node or no node.
    """
    watchers, found = [], []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            watcher = (Path("/proc") / str(parent) / "comm").read_text().strip()
        except OSError:
            continue
        if f"SLURM_JOB_ID={job}".encode() in variables and f"SLURMD_NODENAME={node}".encode() in variables:
            found.append(int(entry.name))
            watchers += [parent] if watcher.startswith("slurmstepd") else []
    return [*watchers, *found]


def kill_node(node):
    """All of the node is gone at once: its daemon, those of its jobs, and the jobs."""
    daemon = subprocess.check_output(["scontrol", "show", "config"], text=True)
    (pid_file,) = [line.split("= ")[1] for line in daemon.splitlines() if line.startswith("SlurmdPidFile")]
    for pid in (int(Path(pid_file.replace("%n", node)).read_text()), *processes_of(slurm_job(), node)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    subprocess.run(["scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test"], check=True)


@pytest.fixture
def node_that_dies(installed):
    if installed is None:
        pytest.skip("kills a node, and that only on a cluster of tools/installers/slurm_up.sh")

    def mend():
        script = ROOT / "tools/installers/slurm_up.sh"
        subprocess.run([script], check=True, stdout=subprocess.DEVNULL, env={**os.environ, **installed})

    yield mend
    mend()


def test_a_node_that_dies_is_replaced_and_the_training_ends_as_undisturbed(run, undisturbed, node_that_dies):
    def kill():
        kill_node(subprocess.check_output(["squeue", "-h", "-j", slurm_job(), "-o", "%N"], text=True).strip())

    act = once("exp", "epoch 1, step 3/5", kill)
    run("log/x", *toy("exp", 0.25))
    act.join()
    assert Path("log/x").read_text().count("# Running on") == 2
    assert "stopped by" not in Path("exp/train.log").read_text()
    assert_same(undisturbed, "exp")


def test_of_two_nodes_one_dies_and_the_training_ends_as_undisturbed(run, two_processes, node_that_dies):
    def kill():
        kill_node("n2")
        time.sleep(1)
        node_that_dies()

    act = once("exp", "epoch 1, step 3/5", kill)
    on_two_nodes(run, 0.5)
    act.join()
    assert Path("log/x").read_text().count("# Running on") == 2
    assert_same(two_processes, "exp")
