"""torchrun itself starts the training; the other tests fork its processes, which is faster."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zspex_toolkit.train.history import read_history

pytestmark = pytest.mark.slow
TOY = Path(__file__).parents[1] / "support" / "toy.py"


def torchrun(exp_dir, settings, seconds_per_item=0.0, *, options=("--standalone", "--nproc_per_node", "2")):
    command = [sys.executable, "-m", "torch.distributed.run", *options, TOY, exp_dir, json.dumps(settings)]
    log = open(f"{exp_dir}.log", "a")  # noqa: SIM115 (the process keeps it)
    return subprocess.Popen([*command, str(seconds_per_item)], stdout=log, stderr=log, env={**os.environ, **QUIET})


QUIET = {"OMP_NUM_THREADS": "1"}


def wait_for_line(path, text):
    deadline = time.monotonic() + 240
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < deadline, f"{path} never says {text}"
        time.sleep(0.05)


def test_stopped_by_a_signal_to_torchrun_and_started_again_it_ends_as_undisturbed(tmp_path):
    settings = {"num_epochs": 2, "log_every": 1}
    process = torchrun(tmp_path / "exp", settings, 0.2)
    wait_for_line(tmp_path / "exp" / "train.log", "epoch 1, step 2/5")
    process.send_signal(signal.SIGTERM)
    # torchrun has no status for "start me again": the file tells.
    assert process.wait(60) == 1
    stopped = json.loads((tmp_path / "exp" / "stopped").read_text())
    assert stopped["signal"] == "SIGTERM" and stopped["checkpoint"].startswith("epoch-1-step-")
    assert torchrun(tmp_path / "exp", settings).wait(60) == 0
    assert not (tmp_path / "exp" / "stopped").exists() and (tmp_path / "exp" / "done").exists()
    assert torchrun(tmp_path / "whole", settings).wait(60) == 0
    assert (tmp_path / "exp" / "last.safetensors").read_bytes() == (
        tmp_path / "whole" / "last.safetensors"
    ).read_bytes()


def test_two_nodes_train_as_one_machine_with_two_processes(tmp_path):
    settings = {"num_epochs": 1}
    with subprocess.Popen([sys.executable, "-c", FREE_PORT], stdout=subprocess.PIPE, text=True) as found:
        port = found.stdout.read().strip()
    common = ("--nnodes", "2", "--nproc_per_node", "1", "--master_addr", "127.0.0.1", "--master_port", port)
    nodes = [torchrun(tmp_path / "nodes", settings, options=(*common, "--node_rank", str(node))) for node in (0, 1)]
    assert [node.wait(90) for node in nodes] == [0, 0]
    assert torchrun(tmp_path / "machine", settings).wait(60) == 0
    assert [line["valid"] for line in read_history(tmp_path / "nodes")] == [
        line["valid"] for line in read_history(tmp_path / "machine")
    ]


def test_nothing_of_the_group_is_left_when_a_training_has_ended(tmp_path):
    # Threads that outlive the interpreter abort one process in twenty after it has ended well.
    script = tmp_path / "script.py"
    script.write_text(f"""
import sys, pathlib
sys.path.insert(0, {str(TOY.parents[1])!r})
from support.toy import toy_train
toy_train(sys.argv[1], num_epochs=1)
names = [(task / "comm").read_text() for task in pathlib.Path("/proc/self/task").iterdir()]
sys.exit(any("gloo" in name for name in names))
""")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", script]
    done = subprocess.run([*command, tmp_path / "exp"], env={**os.environ, **QUIET}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


FREE_PORT = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
