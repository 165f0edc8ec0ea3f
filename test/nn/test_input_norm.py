"""The input is centred by coefficient and scaled as a whole."""

import torch

from zspex_toolkit.nn.input_norm import InputNorm


def frames():
    torch.manual_seed(0)
    return torch.randn(8, 3, 50) * torch.tensor([1.0, 2.0, 4.0])[:, None] + torch.tensor([5.0, -3.0, 100.0])[:, None]


def test_coefficients_lose_their_mean_and_keep_their_proportions():
    out = InputNorm(3).train()(frames())
    assert out.mean((0, 2)).abs().max() < 1e-4
    assert abs(float(out.var((0, 2), unbiased=False).mean()) - 1) < 1e-4
    before, after = frames().std((0, 2)), out.std((0, 2))
    torch.testing.assert_close(after / after[0], before / before[0])


def test_evaluation_uses_what_training_saw():
    norm = InputNorm(3, momentum=1.0).train()
    expected = norm(frames())
    torch.testing.assert_close(norm.eval()(frames()), expected)
    assert not torch.allclose(norm(frames() + 1), expected)
