import json

import torch
from several import in_processes

from zspex_toolkit.train.processes import joined
from zspex_toolkit.train.random_state import gather_random_states, get_random_state, seed_process, set_random_state


def test_the_same_numbers_come_again():
    cpu = torch.device("cpu")
    states = get_random_state(cpu)
    first = torch.rand(5)
    set_random_state(states, cpu)
    assert torch.equal(torch.rand(5), first)


def draw(results, rank, step):
    with joined(torch.device("cpu")) as processes:
        seed_process(3, processes, step)
        states = gather_random_states(torch.device("cpu"), processes)
        drawn = torch.rand(2).tolist()
        own = [state["cpu"].tolist() for state in states]
    (results / str(rank)).write_text(json.dumps([drawn, own]))


def test_every_process_draws_its_own_numbers_and_the_main_one_those_of_a_process_alone(tmp_path):
    assert in_processes(2, draw, tmp_path, 0) == [0, 0]
    (first, states), (second, same) = (json.loads((tmp_path / str(rank)).read_text()) for rank in (0, 1))
    torch.manual_seed(3)
    assert first == torch.rand(2).tolist() != second and states == same
    for drawn, state in zip((first, second), states, strict=True):
        set_random_state({"cpu": torch.tensor(state, dtype=torch.uint8)}, torch.device("cpu"))
        assert torch.rand(2).tolist() == drawn
