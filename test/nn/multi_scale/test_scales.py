"""Fusers make one sequence of the scales, and masks for all scales of one sequence."""

import pytest
import torch

from zspex_toolkit.nn.multi_scale.scales import ChannelNorm, MaskGenerator, PlainFuser, ScaleInterFuser
from zspex_toolkit.nn.tac import TransformAverageConcatenate


def test_a_frame_is_normalised_in_single_precision():
    frames = (100 + torch.randn(1, 20, 64)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        out = ChannelNorm(64)(frames)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), ChannelNorm(64)(frames.float()), rtol=1e-2, atol=1e-2)


def test_the_plain_fuser_is_layer_norm_and_linear_of_all_scales():
    fuser, scales = PlainFuser(3, 4, 5), torch.randn(2, 3, 6, 4)
    frame = torch.cat([scales[1, 0, 2], scales[1, 1, 2], scales[1, 2, 2]])
    normed = (frame - frame.mean()) / (frame.var(unbiased=False) + 1e-5).sqrt()
    expected = fuser.project.weight[:, :, 0] @ normed + fuser.project.bias
    torch.testing.assert_close(fuser(scales)[1, 2], expected)


def test_the_scale_inter_fuser_is_the_exchange_and_the_plain_fuser_and_counts_true_frames():
    fuser = ScaleInterFuser(3, 4, 5, TransformAverageConcatenate(4, 7))
    scales = torch.randn(2, 3, 6, 4)
    for counts in (None, torch.tensor([4, 6])):
        torch.testing.assert_close(fuser(scales, counts), fuser.fuse(fuser.exchange(scales, counts)))
    assert not torch.allclose(fuser(scales), fuser.fuse(scales), atol=1e-3)


@pytest.mark.parametrize("joint", [False, True])
def test_masks_are_not_negative_and_the_first_scales_alone_are_those_of_all(joint):
    masks = MaskGenerator(5, 3, 4, TransformAverageConcatenate(4, 7) if joint else None)
    frames = 10 * torch.randn(2, 6, 5)
    out = masks(frames)
    assert out.shape == (2, 3, 6, 4) and out.min() == 0 and out.max() > 1
    torch.testing.assert_close(masks(frames, num_outputs=1), out[:, :1])


def test_a_separate_mask_is_the_linear_layer_of_its_scale():
    masks, frames = MaskGenerator(5, 3, 4), torch.randn(1, 6, 5)
    weight, bias = masks.project.weight[4:8, :, 0], masks.project.bias[4:8]  # the second scale
    torch.testing.assert_close(masks(frames)[0, 1], torch.relu(frames[0] @ weight.t() + bias))


def test_joint_masks_depend_on_the_layers_of_other_scales():
    masks, frames = MaskGenerator(5, 3, 4, TransformAverageConcatenate(4, 7)), torch.randn(1, 6, 5)
    before = masks(frames)
    with torch.no_grad():
        masks.project.bias[8:] += 1  # the third scale
    assert not torch.allclose(masks(frames)[:, 0], before[:, 0], atol=1e-3)
