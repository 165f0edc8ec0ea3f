"""Pooling takes the mean and deviation of true frames only."""

import torch

from zspex_toolkit.nn.statistics_pooling import statistics_pooling


def test_padding_is_not_pooled():
    frames = torch.randn(2, 4, 10)
    alone = statistics_pooling(frames[1:, :, :6])
    frames[1, :, 6:] = 1e6
    torch.testing.assert_close(statistics_pooling(frames, torch.tensor([10, 6]))[1:], alone)


def test_a_constant_channel_has_a_finite_gradient():
    frames = torch.ones(1, 1, 5, requires_grad=True)
    statistics_pooling(frames).sum().backward()
    assert torch.isfinite(frames.grad).all()
