"""Masks are not negative, and the short scale's alone is the short one of all."""

import pytest
import torch

from zspex_toolkit.nn.mask_generator import ScaleInterMasks, SeparateMasks
from zspex_toolkit.nn.tac import TransformAverageConcatenate


def generator(kind):
    torch.manual_seed(0)
    return SeparateMasks(5, 3, 4) if kind == "separate" else ScaleInterMasks(5, 3, 4, TransformAverageConcatenate(4, 7))


@pytest.mark.parametrize("kind", ["separate", "scale_inter"])
def test_the_first_scales_alone_are_those_of_all(kind):
    masks, frames = generator(kind), torch.randn(2, 6, 5)
    torch.testing.assert_close(masks(frames, num_outputs=1), masks(frames)[:, :1])


@pytest.mark.parametrize("kind", ["separate", "scale_inter"])
def test_masks_are_not_negative_and_may_exceed_one(kind):
    out = generator(kind)(10 * torch.randn(2, 6, 5))
    assert out.shape == (2, 3, 6, 4) and out.min() == 0 and out.max() > 1


def test_a_separate_mask_is_the_linear_layer_of_its_scale():
    masks, frames = generator("separate"), torch.randn(1, 6, 5)
    weight, bias = masks.project.weight[4:8, :, 0], masks.project.bias[4:8]  # the second scale
    torch.testing.assert_close(masks(frames)[0, 1], torch.relu(frames[0] @ weight.t() + bias))


def test_joint_masks_depend_on_the_layers_of_other_scales():
    masks, frames = generator("scale_inter"), torch.randn(1, 6, 5)
    before = masks(frames)
    with torch.no_grad():
        masks.project.bias[8:] += 1  # the third scale
    assert not torch.allclose(masks(frames)[:, 0], before[:, 0], atol=1e-3)
