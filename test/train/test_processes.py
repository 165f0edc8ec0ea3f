import datetime
import functools
import json
import math
import os
import signal
import time

import pytest
import torch
import torch.distributed as dist
from support.several import in_processes, outputs

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.train.processes import ALONE, is_main_process, joined
from zspex_toolkit.train.signals import TrainingInterrupted

CPU = torch.device("cpu")


def ask(results, rank):
    with joined(CPU) as processes:
        tensors = [torch.full((2,), rank + 1.0), torch.tensor(rank), torch.ones(2, 2)]
        processes.sum_(tensors)
        found = {
            "place": [processes.rank, processes.count, processes.is_main, is_main_process()],
            "gathered": processes.gather([rank, math.nan if rank else math.inf, "x" * 1000 * rank]),
            "sums": [tensor.tolist() for tensor in tensors],
            "sent": processes.broadcast(b"from the main one" if processes.is_main else None).decode(),
        }
    (results / str(rank)).write_text(json.dumps(found))


def test_processes_gather_sum_and_send(tmp_path):
    assert in_processes(2, ask, tmp_path) == [0, 0]
    first, second = (json.loads((tmp_path / str(rank)).read_text()) for rank in (0, 1))
    assert (first.pop("place"), second.pop("place")) == ([0, 2, True, True], [1, 2, False, False])
    assert str(first) == str(second)
    assert str(first["gathered"]) == f"[[0, inf, ''], [1, nan, '{'x' * 1000}']]"
    assert first["sums"] == [[3.0, 3.0], 1, [[2.0, 2.0], [2.0, 2.0]]]
    assert first["sent"] == "from the main one"


def test_a_process_alone_talks_to_itself():
    with joined(CPU) as processes:
        assert processes is ALONE and processes.is_main
    assert processes.gather("x") == ["x"]
    assert processes.broadcast(b"x") == b"x"


def test_torchruns_variables_must_be_complete(monkeypatch):
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    message = "WORLD_SIZE is set but RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT is not; start several .* with torchrun"
    with pytest.raises(ConfigError, match=message), joined(CPU):
        pass


def fail(results, rank, who):
    with joined(CPU) as processes:
        if rank in who:
            raise UserError("a.wav: no such file")
        processes.wait()


@pytest.mark.parametrize("who", [(0,), (1,), (0, 1)])
def test_an_error_of_one_or_all_ends_all_with_one_line(tmp_path, who):
    assert in_processes(2, fail, tmp_path, who) == [1, 1]
    (line,) = outputs(tmp_path).splitlines()
    assert line.startswith("process ") and " of 2 on " in line and line.endswith(": a.wav: no such file")


def die(results, rank):
    with joined(CPU) as processes:
        if rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        processes.wait()


def test_a_killed_process_ends_the_others_with_one_line(tmp_path):
    assert in_processes(2, die, tmp_path) == [1, -signal.SIGKILL]
    (line,) = outputs(tmp_path).splitlines()
    assert line.startswith("another process of this training was killed (torchrun says which); start the same command")


def be_silent(results, rank):
    dist.init_process_group = functools.partial(dist.init_process_group, timeout=datetime.timedelta(seconds=2))
    with joined(CPU) as processes:
        if rank == 1:
            time.sleep(6)
        processes.wait()


def test_a_process_that_does_not_answer_ends_all_with_one_line(tmp_path):
    assert in_processes(2, be_silent, tmp_path) == [1, 1]
    (line,) = outputs(tmp_path).splitlines()
    assert line.startswith("another process of this training does not answer; start the same command again")


def as_on_gpus(results, rank, end):
    """Gloo stands in for NCCL, whose groups are taken down by all processes together or not at all."""
    made, new_group, destroy = [], dist.new_group, dist.destroy_process_group

    def group_of_gpus(backend):
        made.append(backend)
        return new_group(backend="gloo")

    def destroy_together():
        store = dist.distributed_c10d._get_default_store()
        store.add("leaving", 1)
        while store.add("leaving", 0) < 2:
            time.sleep(0.05)
        (results / f"destroyed.{rank}").touch()
        destroy()

    dist.new_group, dist.destroy_process_group = group_of_gpus, destroy_together
    with joined(torch.device("cuda", rank)) as processes:
        assert made == ["nccl"]
        if end == "fails" and rank == 1:
            raise UserError("a.wav: no such file")
        processes.wait()
        if end == "is stopped":
            raise TrainingInterrupted("SIGTERM")


@pytest.mark.parametrize(("end", "status", "together"), [("fails", 1, 0), ("is stopped", 75, 2), ("is well", 0, 2)])
def test_over_nccl_only_those_that_end_together_wait_for_each_other(tmp_path, end, status, together):
    assert in_processes(2, as_on_gpus, tmp_path, end) == [status] * 2, outputs(tmp_path)
    assert len(list(tmp_path.glob("destroyed.*"))) == together
    assert outputs(tmp_path).count("a.wav: no such file") == outputs(tmp_path).count("\n") == (end == "fails")
