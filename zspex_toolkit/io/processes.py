"""Apply a function to many items in a few processes of this machine."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tqdm import tqdm

from zspex_toolkit.errors import ConfigError, JobError


def map_in_processes(function: Callable[[Any], Any], items: Sequence[Any], nj: int, *, label: str = "") -> list[Any]:
    """``[function(item) for item in items]`` in ``nj`` processes, with a progress bar on a terminal.

    Each process has a fixed share of the items, so what it does depends on no other. The first exception in any of
    them stops all and is raised here. Where this process is killed, the others end after the item in hand.

    Args:
        function: picklable where processes are not forked; no lambda.
        items: what to work on.
        nj: number of processes; 1 stays in this one.
        label: what the progress bar says.

    Raises:
        ConfigError: if ``nj`` is not positive.
        JobError: if a process was killed.
    """
    results: list[Any] = [None] * len(items)
    for index, result in each_in_processes(function, items, nj, label=label):
        results[index] = result
    return results


def each_in_processes(
    function: Callable[[Any], Any], items: Sequence[Any], nj: int, *, label: str = ""
) -> Iterator[tuple[int, Any]]:
    """Like :func:`map_in_processes`, but index and result one by one, as they come, so that none need be kept."""
    if nj < 1:
        raise ConfigError(f"nj: expected 1 process or more, got {nj}")
    nj = min(nj, len(items))
    if nj <= 1:
        for index, item in enumerate(tqdm(items, desc=label, disable=None, mininterval=1)):
            yield index, function(item)
        return
    workers = {}
    for job in range(nj):
        receiver, sender = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(
            target=_work, args=(function, items, job, nj, sender, os.getpid()), daemon=True
        )
        process.start()
        sender.close()  # the worker's copy is now the only one: its death shows as the end of the stream
        workers[receiver] = process
    try:
        yield from _gather(workers, len(items), label)
    finally:
        for process in workers.values():
            process.terminate()
            process.join()


def _work(function, items, job: int, nj: int, sender, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends its workers
    for index in range(job, len(items), nj):
        if os.getppid() != parent:
            return
        try:
            sender.send((index, function(items[index]), None))
        except Exception as fault:
            sender.send((index, None, fault))
            return
    sender.send((None, None, None))


def _gather(workers: dict, count: int, label: str) -> Iterator[tuple[int, Any]]:
    busy = set(workers)
    with tqdm(total=count, desc=label, disable=None, mininterval=1) as bar:
        while busy:
            for receiver in multiprocessing.connection.wait(list(busy)):
                try:
                    index, result, fault = receiver.recv()
                except EOFError:
                    workers[receiver].join()
                    raise JobError(
                        f"{label or 'work'}: a process was killed (status {workers[receiver].exitcode}); out of memory?"
                        " Finished items are kept: run the command again"
                    ) from None
                if fault is not None:
                    raise fault
                if index is None:
                    busy.remove(receiver)
                else:
                    bar.update()
                    yield index, result
