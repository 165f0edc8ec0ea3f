"""Tests of the cross entropy."""

import math

import pytest
import torch

from zspex_toolkit.losses.cross_entropy import cross_entropy


def test_a_certain_and_an_even_row_by_hand():
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]])
    assert cross_entropy(logits, torch.tensor([0, 1])).item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)


def test_label_smoothing_mixes_in_the_mean_over_classes():
    logits = torch.tensor([[math.log(3.0), 0.0]])  # probabilities 3/4, 1/4
    expected = -(0.9 * math.log(3 / 4) + 0.1 * math.log(1 / 4))  # smoothing 0.2: 0.1 more for each of 2 classes
    assert cross_entropy(logits, torch.tensor([0]), label_smoothing=0.2).item() == pytest.approx(expected)


def test_rows_without_a_class_do_not_count():
    scores = torch.tensor([[math.log(3.0), 0.0], [5.0, -2.0]], requires_grad=True)
    loss = cross_entropy(scores, torch.tensor([0, -1]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(4 / 3)) and not scores.grad[1].any()
    assert cross_entropy(scores, torch.tensor([-1, -1])).item() == 0.0
