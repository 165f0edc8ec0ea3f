"""What a data process of a training holds by itself does not grow with the number of utterances."""

import multiprocessing
import os

import pytest
from data_process_growth import tell_growths
from made_up_data import make
from training_sets import SETS

LONG = 150 * "x"  # begins every name: a copy of all names of the larger directory takes 900 kB


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


@pytest.fixture(scope="module")
def growths(directories):
    """Of each set, small and large: by how much a data process grows.

    Their parent is a new process: what other tests have left in the memory of this one would count, piece by piece,
    whenever a data process first touches it.
    """
    told, teller = multiprocessing.Pipe(duplex=False)
    parent = multiprocessing.get_context("spawn").Process(target=tell_growths, args=(directories, teller))
    parent.start()
    teller.close()  # so that a parent that fails is an end of file here
    found = told.recv()
    parent.join()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_going_through_ten_times_the_utterances_takes_no_more_memory(name, growths):
    small, large = growths[name]
    assert large < small + 600
