import pytest
import torch
from support.toy import toy_loss
from torch import nn

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.train.step import Objective, compute_gradients, evaluate_loss

CPU = torch.device("cpu")


def batch(first, last):
    x = torch.arange(24.0).reshape(6, 4)[first:last] / 10
    return {"ids": [f"u{index}" for index in range(first, last)], "x": x, "y": x.sum(1, keepdim=True)}


def objective(loss, model=None, amp="none"):
    return Objective(model or nn.Linear(4, 1), loss, CPU, amp)


def gradients(batches, amp="none", clip_grad_norm=0.0):
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    outcome = compute_gradients(objective(toy_loss, model, amp), batches, clip_grad_norm)
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()]), outcome


def test_uneven_batches_give_the_gradient_of_their_union():
    whole, _ = gradients([batch(0, 6)])
    parts, outcome = gradients([batch(0, 4), batch(4, 6)])
    torch.testing.assert_close(parts, whole)
    assert [count for _, count in outcome.statistics] == [4, 2]


def test_clipping_limits_the_norm_and_reports_the_one_before():
    free, outcome = gradients([batch(0, 6)])
    torch.testing.assert_close(outcome.grad_norm, free.norm().item())
    clipped, outcome_clipped = gradients([batch(0, 6)], clip_grad_norm=0.1)
    torch.testing.assert_close(clipped, free * 0.1 / free.norm(), rtol=1e-4, atol=1e-6)
    assert outcome_clipped.grad_norm == outcome.grad_norm > 0.1


def test_mixed_precision_computes_in_bfloat16():
    seen = []

    def loss(model, data):
        seen.append(model(data["x"]).dtype)
        return toy_loss(model, data)

    evaluate_loss(objective(loss, amp="bf16"), batch(0, 6))
    assert seen == [torch.bfloat16]
    exact, _ = gradients([batch(0, 6)])
    rounded, _ = gradients([batch(0, 6)], amp="bf16")
    torch.testing.assert_close(rounded, exact, rtol=0.02, atol=0.02)


def test_statistics_may_be_tensors_or_numbers():
    def loss(model, data):
        return toy_loss(model, data)[0], {"tensor": torch.tensor(2.5), "number": 3}

    outcome = compute_gradients(objective(loss), [batch(0, 2)], 0.0)
    values, count = outcome.statistics[0]
    assert (values["tensor"], values["number"], count) == (2.5, 3, 2)


def test_a_loss_per_item_is_refused():
    def loss(model, data):
        return (model(data["x"]) - data["y"]).squeeze(1), {}

    with pytest.raises(ConfigError, match=r"the loss must be a single number, got a tensor of shape \(6,\)"):
        evaluate_loss(objective(loss), batch(0, 6))


def test_a_batch_of_one_is_refused_where_the_network_normalises_over_the_batch_alone():
    message = r"batch_size: this network's batch normalisation needs batches of at least 2 items, got 1 \(u3\)"
    network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    with pytest.raises(ConfigError, match=message):
        compute_gradients(objective(toy_loss, network), [batch(3, 4)], 0.0)
    gradients([batch(3, 4)])  # no normalisation: nothing to refuse


def test_another_fault_of_the_network_keeps_its_own_words():
    def loss(model, batch):
        raise ValueError("bug")

    with pytest.raises(ValueError, match=r"^bug$"):
        compute_gradients(objective(loss), [batch(0, 2)], 0.0)
