"""Lets the tests of training import the toy task beside them."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Other work on the machine must not slow these many small steps down."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
