import pytest
import torch
from torch import nn

from zspex_toolkit import registry
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.optimizer import build_optimizer, parameter_groups, set_learning_rate


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedder = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
        self.embedder_head = nn.Linear(1, 1)


def rates(model, **settings):
    optimizer = build_optimizer(model, TrainConfig(learning_rate=1.0, **settings))
    set_learning_rate(optimizer, 0.5)
    by_parameter = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    return {name: by_parameter.get(id(parameter)) for name, parameter in model.named_parameters()}


def test_a_prefix_names_a_module_and_the_longest_one_wins():
    found = rates(Net(), learning_rate_scale={"embedder": 0.1, "embedder.1": 0.2})
    assert found["embedder.0.weight"] == 0.05
    assert found["embedder.1.weight"] == found["embedder.1.bias"] == 0.1
    assert found["embedder_head.weight"] == 0.5


def test_frozen_parameters_are_left_out():
    model = Net()
    model.embedder.requires_grad_(False)
    assert set(rates(model).values()) == {None, 0.5}
    model.requires_grad_(False)
    with pytest.raises(ConfigError, match="nothing to train: every parameter of the network is frozen"):
        parameter_groups(model, TrainConfig())


def test_a_prefix_of_nothing_names_the_nearest_part():
    with pytest.raises(
        ConfigError, match="learning_rate_scale: the network has no part 'embeder'; did you mean 'embedder'"
    ):
        parameter_groups(Net(), TrainConfig(learning_rate_scale={"embeder": 0.1}))


def test_an_unknown_optimizer_names_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown name 'adamm' in train.optimizers; did you mean 'adam"):
        build_optimizer(Net(), TrainConfig(optimizer="adamm"))


@pytest.mark.parametrize("name", registry.available("train.optimizers"))
def test_every_optimizer_goes_downhill_at_the_rate_of_its_group(name):
    weight = nn.Linear(1, 1, bias=False)
    nn.init.constant_(weight.weight, 1.0)
    optimizer = build_optimizer(weight, TrainConfig(optimizer=name, learning_rate=0.1))
    weight(torch.ones(1, 1)).sum().backward()  # gradient 1: each of them takes a first step of 0.1
    optimizer.step()
    torch.testing.assert_close(weight.weight.item(), 0.9)


def test_weight_decay_is_decoupled_with_adamw_alone():
    moved = {}
    for name in ("adam", "adamw"):
        weight = nn.Linear(1, 1, bias=False)
        nn.init.constant_(weight.weight, 1.0)
        optimizer = build_optimizer(weight, TrainConfig(optimizer=name, learning_rate=0.1, weight_decay=0.5))
        (weight(torch.ones(1, 1)).sum()).backward()
        optimizer.step()
        moved[name] = weight.weight.item()
    assert moved["adam"] == pytest.approx(0.9)  # the decay joins a gradient that Adam normalises away
    assert moved["adamw"] == pytest.approx(1 - 0.1 * 0.5 - 0.1)


@pytest.mark.parametrize("name", ["adam", "adamw", "muon", "sgd"])
def test_a_part_of_the_network_may_take_part_from_a_later_step_on(name):
    model = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
    optimizer = build_optimizer(model, TrainConfig(optimizer=name, learning_rate=0.1))
    first = model[1].weight.detach().clone()
    model[0](torch.ones(2, 3)).sum().backward()
    optimizer.step()
    assert torch.equal(model[1].weight, first)
    optimizer.zero_grad(set_to_none=True)
    model[1](model[0](torch.ones(2, 3))).sum().backward()
    optimizer.step()
    assert not torch.equal(model[1].weight, first)
