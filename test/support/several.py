"""Several processes of one training on this machine, as torchrun starts them but forked: they need not import torch.

Nor what torch loads when a training begins, and tensorboard, which take as long.
"""

import contextlib
import multiprocessing
import os
import sys
import traceback

import torch
import torch._dynamo
import torch.distributed as dist
import torch.utils.tensorboard

from zspex_toolkit.errors import UserError

FORK = multiprocessing.get_context("fork")


def start_processes(count, function, folder, *arguments):
    """``function(folder, rank, *arguments)`` in each process; standard error goes to ``folder/stderr.RANK``."""
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    variables = {
        "WORLD_SIZE": count,
        "LOCAL_WORLD_SIZE": count,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": store.port,
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "TORCHELASTIC_RESTART_COUNT": 0,
    }
    processes = [
        FORK.Process(target=_run, args=(function, folder, rank, variables, arguments)) for rank in range(count)
    ]
    for process in processes:
        process.store = store  # as long as one of them is known
        process.start()
    return processes


def in_processes(count, function, folder, *arguments):
    """Run :func:`start_processes` to its end and return the exit statuses."""
    return statuses(start_processes(count, function, folder, *arguments))


def statuses(processes):
    """Exit statuses, within four minutes."""
    for process in processes:
        process.join(240)
        if process.exitcode is None:
            process.kill()
    return [process.exitcode for process in processes]


def outputs(folder):
    """What all wrote to standard error."""
    return "".join(path.read_text() for path in sorted(folder.glob("stderr.*")))


def _run(function, folder, rank, variables, arguments):
    os.environ.update({name: str(value) for name, value in variables.items()}, RANK=str(rank), LOCAL_RANK=str(rank))
    torch.set_num_threads(1)
    with open(folder / f"stderr.{rank}", "w", buffering=1) as stream, contextlib.redirect_stderr(stream):
        os.dup2(stream.fileno(), 2)
        try:
            function(folder, rank, *arguments)
        except SystemExit as error:
            status = error.code
        except UserError as error:
            print(error, file=sys.stderr)
            status = 1
        except BaseException:
            traceback.print_exc()
            status = 3
        else:
            status = 0
    os._exit(status or 0)
