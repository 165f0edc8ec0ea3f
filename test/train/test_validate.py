import pytest
import torch
from support.toy import ToySet, toy_loss, toy_net

from zspex_toolkit.train.batches import BatchLoader, plan_validation
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.step import Objective
from zspex_toolkit.train.validate import validate

CPU = torch.device("cpu")


def run(loss, *, log=print, batch_size=3, model=None):
    loader = BatchLoader(ToySet(7), TrainConfig(), CPU)
    batches = plan_validation(7, batch_size)
    return validate(Objective(model or toy_net(), loss, CPU, "none"), loader, batches, seed=1, log=log)


def test_the_batch_size_does_not_matter():
    assert run(toy_loss, batch_size=3) == pytest.approx(run(toy_loss, batch_size=7))


def test_random_numbers_are_the_same_every_time_and_those_of_training_untouched():
    def noisy(model, batch):
        return toy_loss(model, batch)[0] + torch.rand(()), {}

    model = toy_net()
    before = torch.get_rng_state()
    first = run(noisy, model=model)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert run(noisy, model=model) == first


def test_the_network_is_in_evaluation_mode_and_keeps_no_graph_and_then_back_in_its_mode():
    def loss(model, batch):
        assert not model.training and not torch.is_grad_enabled()
        return toy_loss(model, batch)

    model = toy_net()
    run(loss, model=model)
    assert model.training


def test_a_loss_that_is_not_finite_is_named_and_not_left_out():
    def loss(model, batch):
        bad = "utt4" in batch["ids"]
        return toy_loss(model, batch)[0] / (0.0 if bad else 1.0), {}

    lines = []
    assert run(loss, log=lines.append)["loss"] == float("inf")
    assert lines == ["validation: the loss is inf for one of: utt3, utt4, utt5"]
