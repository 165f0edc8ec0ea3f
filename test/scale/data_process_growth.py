"""By how much a data process grows while it goes through a set; a module of its own, so that a new process finds it."""

import gc
import multiprocessing

import torch
from made_up_data import own_kilobytes
from training_sets import SETS

FEW = 200  # items after which all code has run once


def go_through(items, told) -> None:
    """Every item; told is by how much the memory of this process grew after the first few."""
    torch.set_num_threads(1)
    own = []
    for stop in (FEW, len(items)):
        for index in range(stop):
            items.get(0, index)
        gc.collect()  # which writes to all there is, once
        own.append(own_kilobytes())
    told.send(own[1] - own[0])


def growth(items) -> int:
    told, teller = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=go_through, args=(items, teller))
    process.start()
    grown = told.recv()
    process.join()
    return grown


def tell_growths(directories, teller) -> None:
    teller.send({name: [growth(make_set(data)) for data in directories] for name, make_set in SETS.items()})
