"""What a data process of a training holds by itself does not grow with the number of utterances."""

import gc
import multiprocessing
import os

import pytest
import torch
from made_up_data import make, own_kilobytes
from training_sets import SETS

LONG = 150 * "x"  # begins every name: a copy of all names of the larger directory takes 900 kB
FEW = 200  # items after which all code has run once


@pytest.fixture(scope="module")
def directories(tmp_path_factory):
    """Of 400 and of 4,000 utterances: audio, features, trials, second speakers and embeddings."""
    root = tmp_path_factory.mktemp("scale")
    found = []
    for num_utterances in (400, 4_000):
        data = root / str(num_utterances)
        make(data, num_utterances, 20, num_samples=800, name=LONG)
        for table, like in (("spk1.scp", "wav.scp"), ("enroll_spk1.scp", "wav.scp"), ("utt2spk2", "utt2spk")):
            os.link(data / like, data / table)
        os.link(data / "vad.scp", data / "xvector.scp")
        found.append(data)
    return found


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


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_going_through_ten_times_the_utterances_takes_no_more_memory(name, directories):
    small, large = (growth(SETS[name](data)) for data in directories)
    assert large < small + 600
