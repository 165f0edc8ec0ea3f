"""Each frame is normalised for itself."""

import torch

from zspex_toolkit.nn.channel_norm import ChannelNorm


def test_a_frame_of_two_channels_by_hand():
    frames = torch.tensor([[[1.0, 3.0], [10.0, 10.0]]])  # mean 2 and variance 1; mean 10 and variance 0
    expected = torch.tensor([[[-1.0, 1.0], [0.0, 0.0]]]) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(ChannelNorm(2)(frames), expected)


def test_gain_and_bias_belong_to_the_channels():
    norm = ChannelNorm(2)
    frames = torch.randn(1, 5, 2)
    plain = norm(frames)
    with torch.no_grad():
        norm.weight[:], norm.bias[:] = torch.tensor([2.0, 3.0]), torch.tensor([5.0, 7.0])
    torch.testing.assert_close(norm(frames)[0, :, 1], 3 * plain[0, :, 1] + 7)


def test_half_precision_is_normalised_in_single():
    frames = (100 + torch.randn(1, 20, 64)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        out = ChannelNorm(64)(frames)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), ChannelNorm(64)(frames.float()), rtol=1e-2, atol=1e-2)
