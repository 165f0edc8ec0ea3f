"""Fusers make one sequence of the scales."""

import torch

from zspex_toolkit.nn.fuser import PlainFuser, ScaleInterFuser
from zspex_toolkit.nn.tac import TransformAverageConcatenate


def test_the_plain_fuser_is_layer_norm_and_linear_of_all_scales():
    fuser, scales = PlainFuser(3, 4, 5), torch.randn(2, 3, 6, 4)
    frame = torch.cat([scales[1, 0, 2], scales[1, 1, 2], scales[1, 2, 2]])
    normed = (frame - frame.mean()) / (frame.var(unbiased=False) + 1e-5).sqrt()
    expected = fuser.project.weight[:, :, 0] @ normed + fuser.project.bias
    torch.testing.assert_close(fuser(scales)[1, 2], expected)


def test_the_scale_inter_fuser_is_the_exchange_and_the_plain_fuser():
    fuser = ScaleInterFuser(3, 4, 5, TransformAverageConcatenate(4, 7))
    scales = torch.randn(2, 3, 6, 4)
    torch.testing.assert_close(fuser(scales), fuser.fuse(fuser.exchange(scales)))
    assert not torch.allclose(fuser(scales), fuser.fuse(scales), atol=1e-3)


def test_padding_does_not_reach_true_frames():
    fuser = ScaleInterFuser(3, 4, 5, TransformAverageConcatenate(4, 7))
    scales = torch.randn(1, 3, 6, 4)
    alone = fuser(scales[:, :, :4])
    scales[:, :, 4:] = 50
    torch.testing.assert_close(fuser(scales, torch.tensor([4]))[:, :4], alone)
