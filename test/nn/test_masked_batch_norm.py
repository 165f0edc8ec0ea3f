"""Batch statistics are those of true frames."""

import torch

from zspex_toolkit.nn.masked_batch_norm import MaskedBatchNorm


def true_frames(lengths, length):
    return torch.arange(length)[:, None] < torch.tensor(lengths)[:, None, None]  # (B, L, 1)


def test_padding_enters_neither_output_nor_running_statistics():
    masked, plain = MaskedBatchNorm(3), torch.nn.BatchNorm1d(3)
    frames = torch.randn(2, 8, 3)
    together = torch.cat([frames[0, :5], frames[1]])  # (5 + 8, C)
    frames[0, 5:] = 1e3
    out, expected = masked(frames, true_frames([5, 8], 8)), plain(together)
    torch.testing.assert_close(out[0, :5], expected[:5])
    torch.testing.assert_close(out[1], expected[5:])
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(masked.state_dict()[name], value)


def test_evaluation_uses_the_running_statistics():
    norm = MaskedBatchNorm(3)
    norm(5 + 2 * torch.randn(4, 100, 3), true_frames([100, 100, 50, 100], 100))
    norm.eval()
    frames = torch.randn(1, 6, 3)
    expected = (frames - norm.running_mean) / (norm.running_var + 1e-5).sqrt()
    torch.testing.assert_close(norm(frames, true_frames([2], 6)), expected)


def test_half_precision_is_counted_in_single():
    frames = (100 + torch.randn(2, 500, 3)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        out = MaskedBatchNorm(3)(frames, true_frames([500, 400], 500))
    expected = MaskedBatchNorm(3)(frames.float(), true_frames([500, 400], 500))
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), expected, rtol=1e-2, atol=1e-2)


def test_the_gradient_of_true_frames_is_that_of_batch_norm():
    masked, plain = MaskedBatchNorm(3), torch.nn.BatchNorm1d(3)
    frames = torch.randn(1, 8, 3, requires_grad=True)
    probe = torch.randn(1, 5, 3)
    (masked(frames, true_frames([5], 8))[:, :5] * probe).sum().backward()
    expected = torch.autograd.grad((plain(frames[0, :5]) * probe[0]).sum(), frames)[0]
    torch.testing.assert_close(frames.grad, expected)
