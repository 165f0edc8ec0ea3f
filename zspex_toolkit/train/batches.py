"""Which items form the steps of an epoch, and how their batches are loaded."""

from __future__ import annotations

import ctypes
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader

from zspex_toolkit.errors import UserError
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.train.config import TrainConfig

_PR_SET_PDEATHSIG = 1  # of Linux's prctl

Batch = dict[str, Any]  # tensors by name, and "ids": the names of its items


class ItemSet(Protocol):
    """What training needs of a data set.

    Two methods are used if they are there: ``size(index)``, a number by which a dry run finds the largest items, and
    ``name(index)``, the item's id for error messages.
    """

    def __len__(self) -> int: ...

    def get(self, epoch: int, index: int) -> Any:
        """One item: a function of its arguments (and a seed) alone, so that every epoch can be replayed."""

    def collate(self, items: list[Any]) -> Batch:
        """The batch of some items."""


def plan_steps(num_items: int, config: TrainConfig, epoch: int) -> list[list[np.ndarray]]:
    """Item indices of an epoch: a list of steps, each a list of ``config.accumulate`` batches (the last may have less).

    Every item comes once. A last batch of a single item joins the one before it: batch normalisation needs two.
    """
    order = rng_for(config.seed, "order", epoch).permutation(num_items)
    num_used, cuts = _plan_cuts(num_items, config)
    batches = _cut(order[:num_used], cuts)
    return [batches[first : first + config.accumulate] for first in range(0, len(batches), config.accumulate)]


def count_steps(num_items: int, config: TrainConfig) -> int:
    """Number of steps of :func:`plan_steps`, the same in every epoch.

    >>> count_steps(21, TrainConfig(batch_size=4, accumulate=2))
    3
    """
    _, cuts = _plan_cuts(num_items, config)
    return -(-(len(cuts) + 1) // config.accumulate)


def _plan_cuts(num_items: int, config: TrainConfig) -> tuple[int, list[int]]:
    """How many items are used, and where batches but the first begin."""
    cuts = list(range(config.batch_size, num_items, config.batch_size))
    left_over = num_items % config.batch_size
    if cuts and config.drop_last and left_over:
        return cuts[-1], cuts[:-1]
    if cuts and left_over == 1:
        cuts.pop()
    return num_items, cuts


def plan_validation(num_items: int, batch_size: int) -> list[np.ndarray]:
    """Item indices of the validation batches, in the order of the set."""
    return _cut(np.arange(num_items), list(range(batch_size, num_items, batch_size)))


def _cut(order: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    """As ``np.split``, which takes seconds for a million items."""
    return [order[first:last] for first, last in zip([0, *cuts], [*cuts, len(order)], strict=True)]


def share_of(batch: np.ndarray, config: TrainConfig, rank: int, count: int) -> np.ndarray:
    """The part of a batch that one of ``count`` processes takes; all parts together are the batch, in its order.

    Parts are of equal size, or differ by one. Of a small last batch some processes get nothing, so that no part has a
    single item where the others have more: batch normalisation needs two.

    >>> [share_of(np.arange(7), TrainConfig(batch_size=8), rank, 4).tolist() for rank in range(4)]
    [[0, 1, 2], [3, 4], [5, 6], []]
    """
    if count == 1:
        return batch
    smallest = max(1, min(2, config.batch_size // count))
    num_parts = max(1, min(count, len(batch) // smallest))
    if rank >= num_parts:
        return batch[:0]
    size, more = divmod(len(batch), num_parts)  # the first `more` parts have one more than `size`
    first = rank * size + min(rank, more)
    return batch[first : first + size + (rank < more)]


class BatchLoader:
    """Loads the batches it is asked for, in that order; worker processes live as long as the loader."""

    def __init__(self, items: ItemSet, config: TrainConfig, device: torch.device):
        self._requests: list[tuple[int, np.ndarray]] = []  # epoch and items of the batches to come
        self._loader = DataLoader(
            _BatchDataset(items),
            batch_size=None,
            sampler=self._requests,
            num_workers=config.num_workers,
            persistent_workers=config.num_workers > 0,
            pin_memory=device.type == "cuda",
            worker_init_fn=_follow_training,
            collate_fn=_unchanged,
            # Its own generator: the loader draws a number per epoch, which must not come out of dropout's.
            generator=torch.Generator(),
        )

    def load(self, epoch: int, batches: list[np.ndarray]) -> Iterator[Batch]:
        """The batches of those indices.

        Raises:
            UserError: as an item raised it, with its place in front.
            RuntimeError: for any other error of an item, with its place and traceback.
        """
        self._requests[:] = [(epoch, indices) for indices in batches]
        batches = iter(self._loader)
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                return
            except RuntimeError as error:
                # torch's message of a worker that was killed; errors of items come as _Failure.
                raise UserError(f"a data process ended ({error}); out of memory? lower num_workers") from error
            if isinstance(batch, _Failure):
                batch.throw()
            yield batch

    def close(self) -> None:
        """End the worker processes; they ignore signals, so a program that fails would wait for them at its exit."""
        workers, self._loader._iterator = self._loader._iterator, None
        if workers is not None and self._loader.num_workers:
            workers._shutdown_workers()


class _Failure:
    """An exception on its way out of a worker process."""

    def __init__(self, place: str, error: Exception):
        self.by_user = isinstance(error, UserError | OSError)
        self.message = f"{place}: {error}" if self.by_user else f"{place}:\n{traceback.format_exc()}"

    def throw(self) -> None:
        raise (UserError if self.by_user else RuntimeError)(self.message)


class _BatchDataset(torch.utils.data.Dataset):
    def __init__(self, items: ItemSet):
        self._items = items

    def __getitem__(self, request: tuple[int, np.ndarray]) -> Batch | _Failure:
        epoch, indices = request
        items = []
        for index in indices.tolist():
            try:
                items.append(self._items.get(epoch, index))
            except Exception as error:
                return _Failure(f"item {self._name(index)} of epoch {epoch}", error)
        try:
            return self._items.collate(items)
        except Exception as error:
            names = ", ".join(self._name(index) for index in indices.tolist())
            return _Failure(f"batch of items {names} of epoch {epoch}", error)

    def _name(self, index: int) -> str:
        return f"'{self._items.name(index)}'" if hasattr(self._items, "name") else str(index)


def _unchanged(batch: Batch) -> Batch:
    """The set collates; the loader's own conversion would walk through every id."""
    return batch


def _follow_training(worker: int) -> None:
    """A scheduler signals every process of a job; the training process decides when its workers end.

    If it is killed they end at once (on Linux): they hold its connections, by which the other processes of a training
    live.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
