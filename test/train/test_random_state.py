import torch

from zspex_toolkit.train.random_state import get_random_state, set_random_state


def test_the_same_numbers_come_again():
    cpu = torch.device("cpu")
    states = get_random_state(cpu)
    first = torch.rand(5)
    set_random_state(states, cpu)
    assert torch.equal(torch.rand(5), first)
