"""Tests of the additive angular margin."""

import math

import pytest
import torch

from zspex_toolkit.losses.additive_angular_margin import additive_angular_margin, cosine_logits
from zspex_toolkit.losses.cross_entropy import cross_entropy


def test_the_margin_widens_the_angle_to_the_own_class():
    # Own class at 60 degrees, margin 30: cos 90 = 0; other class at 120: cos = -0.5; scale 4.
    loss = additive_angular_margin(torch.tensor([[-0.5, 0.5]]), torch.tensor([1]), margin=math.pi / 6, scale=4.0)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2.0)), abs=1e-5)


def test_without_margin_it_is_the_scaled_cross_entropy():
    cosines, classes = torch.rand(5, 7) * 2 - 1, torch.arange(5)
    expected = cross_entropy(30 * cosines, classes)
    assert additive_angular_margin(cosines, classes, margin=0.0).item() == pytest.approx(expected.item(), rel=1e-5)


def test_it_falls_with_the_angle_all_the_way_from_opposite_to_same():
    cosines = torch.linspace(-1, 1, 401, dtype=torch.float64)
    losses = [
        additive_angular_margin(torch.stack([cosine, cosine.new_zeros(())])[None], torch.tensor([0]), margin=0.5)
        for cosine in cosines
    ]
    assert (torch.stack(losses).diff() < 0).all()


def test_the_gradient_is_finite_where_embedding_and_class_are_the_same():
    cosines = torch.tensor([[1.0, -1.0]], requires_grad=True)
    additive_angular_margin(cosines, torch.tensor([0])).backward()
    assert torch.isfinite(cosines.grad).all()


def test_cosine_logits_forget_the_lengths():
    cosines = cosine_logits(torch.tensor([[3.0, 4.0]]), torch.tensor([[10.0, 0.0], [0.0, 0.1], [-3.0, -4.0]]))
    assert cosines[0].tolist() == pytest.approx([0.6, 0.8, -1.0])
