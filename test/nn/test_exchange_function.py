"""The fused exchange, as masks are made with it, against the layers it stands for."""

import torch
from same_gradients import assert_same, needs_library

from zspex_toolkit.nn.fuser import ScaleInterFuser
from zspex_toolkit.nn.tac import TransformAverageConcatenate


def fuser(slope):
    torch.manual_seed(0)
    made = ScaleInterFuser(3, 16, 8, TransformAverageConcatenate(16, 32))
    for parameter in made.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter)
    for activation in ("transform_activation", "average_activation", "concatenate_activation"):
        torch.nn.init.constant_(getattr(made.exchange, activation).weight, slope)
    return made


@needs_library
def test_slopes_of_either_sign_give_the_same():
    for slope in (0.25, -0.5):
        module, scales = fuser(slope), torch.randn(2, 3, 16, 9, requires_grad=True)
        assert_same(module, lambda module=module, scales=scales: module(scales), (scales,))


@needs_library
def test_true_frames_alone_are_measured_and_all_have_a_gradient():
    module, scales = fuser(0.25), torch.randn(2, 3, 16, 9, requires_grad=True)
    assert_same(module, lambda: module(scales, torch.tensor([9, 4])), (scales,))
