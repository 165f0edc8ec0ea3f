"""The processes of one training: torchrun starts them, here they find each other, agree and end together."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import socket
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.train.signals import TrainingInterrupted

_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
_joins = itertools.count()  # trainings of this process, one after another, must not read each other's messages


class PeerLostError(Exception):
    """Another process of the training is gone, or has not answered for gloo's thirty minutes."""


class Processes:
    """All processes of a training, from the side of one of them; a training alone is ``Processes()``.

    Every method but the properties must be called by all processes, in the same order. Messages are small and travel
    over gloo, so that a GPU is not waited for; tensors of a GPU are summed over NCCL.

    Raises:
        PeerLostError: from every method, if another process is gone.
    """

    def __init__(self, rank: int = 0, count: int = 1, gpus: dist.ProcessGroup | None = None):
        self.rank, self.count, self._gpus = rank, count, gpus

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """What each process gave, in their order; tensors on the CPU."""
        if self.count == 1:
            return [value]
        found = [None] * self.count
        with _noticing_lost_peers():
            dist.all_gather_object(found, value)
        return found

    def broadcast(self, value: Any) -> Any:
        """What the main process gave; tensors on the CPU."""
        if self.count == 1:
            return value
        given = [value]
        with _noticing_lost_peers():
            dist.broadcast_object_list(given, 0)
        return given[0]

    def sum_(self, tensors: list[Tensor]) -> None:
        """Put, in place of each tensor, its sum over the processes: the same bits on all."""
        if self.count == 1:
            return
        kinds = sorted({(str(tensor.device), str(tensor.dtype)) for tensor in tensors})
        for kind in kinds:
            chosen = [tensor for tensor in tensors if (str(tensor.device), str(tensor.dtype)) == kind]
            joined = torch.cat([tensor.reshape(-1) for tensor in chosen])
            with _noticing_lost_peers():
                dist.all_reduce(joined, group=self._gpus if joined.is_cuda else None)
            for tensor, part in zip(chosen, joined.split([tensor.numel() for tensor in chosen]), strict=True):
                tensor.copy_(part.view_as(tensor))

    def wait(self) -> None:
        """Return when all processes are here."""
        self.gather(None)


ALONE = Processes()


def started_by_torchrun() -> bool:
    """Whether this is one of several processes of a training."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_main_process() -> bool:
    """Whether this process is alone, or the one of several that writes the files."""
    return not started_by_torchrun() or os.environ.get("RANK") == "0"


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """The processes that torchrun started, over gloo and, for GPUs, NCCL; within, one that fails ends them all.

    The first to fail tells why; the others end silently with status 1.

    Raises:
        ConfigError: if torchrun's variables are not complete.
        UserError: if another process was killed or does not answer.
    """
    if not started_by_torchrun():
        yield ALONE
        return
    missing = [name for name in _VARIABLES if name not in os.environ]
    if missing:
        raise ConfigError(f"WORLD_SIZE is set but {', '.join(missing)} is not; start several processes with torchrun")
    # What torch loads with the first optimiser keeps the group that it finds, for good: its threads would then outlive
    # the interpreter, and now and then abort a process that has ended well.
    importlib.import_module("torch._dynamo")
    store, rank, count = next(dist.rendezvous("env://"))
    store = dist.PrefixStore(f"training-{next(_joins)}", store)
    try:
        dist.init_process_group("gloo", store=store, rank=rank, world_size=count)
    except RuntimeError as error:  # a process that fails at once may be gone before it has met the others
        raise _ended_by_another(error, store) from error
    gpus = dist.new_group(backend="nccl") if device.type == "cuda" else None
    is_together = False
    try:
        processes = Processes(rank, count, gpus)
        with _ending_together(processes, store):
            yield processes
        is_together = True
    except TrainingInterrupted:
        is_together = True
        raise
    finally:
        # NCCL takes its group down with all processes: one that fails would wait for the others and not tell why.
        if is_together or gpus is None:
            dist.destroy_process_group()


@contextlib.contextmanager
def _ending_together(processes: Processes, store: dist.Store) -> Iterator[None]:
    try:
        try:
            yield
        except TrainingInterrupted:
            processes.wait()  # torchrun ends all as soon as one has ended: the main one must have let go of its files
            raise
        processes.wait()
    except TrainingInterrupted:
        raise
    except BaseException as error:
        if isinstance(error, PeerLostError):
            raise _ended_by_another(error, store) from error
        if not _is_first(store):
            raise SystemExit(1) from error
        if isinstance(error, UserError):
            where = f"process {processes.rank + 1} of {processes.count} on {socket.gethostname()}"
            raise type(error)(f"{where}: {error}") from error
        raise


def _ended_by_another(error: Exception, store: dist.Store) -> SystemExit | UserError:
    """How a process ends whose peer is gone: silently, if a peer tells why; else with what is known."""
    if not _is_first(store):
        return SystemExit(1)
    what = "does not answer" if "timed out" in str(error).lower() else "was killed (torchrun says which)"
    return UserError(
        f"another process of this training {what}; start the same command again to go on from the last checkpoint"
    )


def _is_first(store: dist.Store) -> bool:
    """Whether no other process has failed before; also if that one took the store with it."""
    try:
        return store.add("failed", 1) == 1
    except RuntimeError:
        return True


@contextlib.contextmanager
def _noticing_lost_peers() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise PeerLostError(str(error)) from error
