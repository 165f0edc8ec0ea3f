import pytest
import torch
from torch import nn

from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.optimizer import build_optimizer
from zspex_toolkit.train.optimizers import muon
from zspex_toolkit.train.optimizers.muon import Muon, is_matrix, orthogonal_factor


def test_the_orthogonal_factor_has_the_singular_vectors_and_values_near_one():
    torch.manual_seed(0)
    matrix = torch.randn(24, 40)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    factor = orthogonal_factor(matrix[None], torch.float32)[0]
    values = torch.linalg.svdvals(factor)
    assert values.min() > 0.6 and values.max() < 1.3
    torch.testing.assert_close((u.t() @ factor @ v.t()).diagonal(), torch.ones(24), atol=0.4, rtol=0)


def test_linear_layers_and_1x1_convolutions_are_matrices_and_nothing_else():
    layers = [nn.Linear(16, 32), nn.Conv1d(16, 32, 1), nn.Conv1d(1, 32, 20), nn.Conv1d(32, 32, 3, groups=32)]
    assert [is_matrix(layer.weight) for layer in [*layers, nn.Linear(15, 32), nn.GroupNorm(1, 32)]] == [
        *(True, True, False, False),
        *(False, False),
    ]


def test_a_matrix_moves_by_the_size_of_its_scale_whatever_its_gradient_is():
    moves = []
    for factor in (1.0, 1000.0):
        torch.manual_seed(0)
        layer = nn.Linear(16, 64, bias=False)
        before = layer.weight.detach().clone()
        optimizer = Muon([{"params": [layer.weight], "lr": 0.1}], TrainConfig(matrix_learning_rate_scale=2.0))
        layer.weight.grad = factor * torch.randn(64, 16)
        optimizer.step()
        moves.append(layer.weight.detach() - before)
    torch.testing.assert_close(moves[0], moves[1], atol=1e-4, rtol=0)
    # An orthogonal 64 x 16 matrix has the root mean square 1 / 8: 0.1 x 2 x 0.2 x 8 / 8.
    assert abs(moves[0].square().mean().sqrt() - 0.04) < 0.01


def test_all_else_moves_as_by_adamw():
    torch.manual_seed(0)
    settings = {"learning_rate": 0.01, "weight_decay": 0.1, "betas": (0.9, 0.99)}
    gradients, ends = torch.randn(5, 7), []
    for name in ("muon", "adamw"):
        bias = nn.Linear(1, 7)
        nn.init.ones_(bias.bias)
        optimizer = build_optimizer(bias, TrainConfig(optimizer=name, **settings))
        for gradient in gradients:
            bias.bias.grad = gradient.clone()
            optimizer.step()
        ends.append(bias.bias.detach())
    torch.testing.assert_close(ends[0], ends[1])


def test_it_goes_on_from_its_state_as_if_never_interrupted():
    def train(layer, optimizer, gradients):
        for gradient in gradients:
            layer.weight.grad, layer.bias.grad = gradient.clone(), gradient[:, 0].clone()
            optimizer.step()

    torch.manual_seed(0)
    gradients = torch.randn(6, 16, 16)
    whole, parts = nn.Linear(16, 16), nn.Linear(16, 16)
    parts.load_state_dict(whole.state_dict())
    config = TrainConfig(optimizer="muon")
    train(whole, build_optimizer(whole, config), gradients)
    first = build_optimizer(parts, config)
    train(parts, first, gradients[:3])
    second = build_optimizer(parts, config)
    second.load_state_dict(first.state_dict())
    train(parts, second, gradients[3:])
    assert torch.equal(whole.weight, parts.weight) and torch.equal(whole.bias, parts.bias)


class Together:
    """Processes of which the others can, or cannot, multiply half precision."""

    def __init__(self, *others):
        self.others = others

    def gather(self, value):
        return [value, *self.others]


@pytest.mark.parametrize(
    ("here", "others", "agreed"),
    [
        ("bf16", [True, True], torch.bfloat16),
        ("bf16", [True, False], torch.float32),
        ("none", [True, True], torch.float32),
    ],
)
def test_processes_on_unlike_machines_multiply_alike(monkeypatch, here, others, agreed):
    used = []
    monkeypatch.setattr(muon, "resolve_amp", lambda amp, device: here)
    monkeypatch.setattr(muon, "orthogonal_factor", lambda matrices, dtype: used.append(dtype) or matrices)
    layer = nn.Linear(16, 16)
    optimizer = build_optimizer(layer, TrainConfig(optimizer="muon"), Together(*others))
    layer(torch.randn(2, 16)).sum().backward()
    optimizer.step()
    assert used == [agreed]


def test_the_asked_precision_is_that_of_the_iteration():
    torch.manual_seed(0)
    matrix = torch.randn(1, 16, 16)
    single, half = (orthogonal_factor(matrix, dtype) for dtype in (torch.float32, torch.bfloat16))
    assert single.dtype == half.dtype == torch.float32
    assert torch.equal(half, half.bfloat16().float()) and not torch.equal(single, single.bfloat16().float())
