import torch
from same_gradients import assert_same, needs_library

from zspex_toolkit.nn.fuse_function import FuseFunction
from zspex_toolkit.nn.fuser import PlainFuser


@needs_library
def test_layer_norm_and_projection_are_those_of_the_layers():
    torch.manual_seed(0)
    module, scales = PlainFuser(3, 16, 8), 2 + torch.randn(2, 3, 16, 9)
    torch.nn.init.normal_(module.norm.weight)
    torch.nn.init.normal_(module.norm.bias)
    scales.requires_grad_(True)
    assert_same(module, lambda: module(scales), (scales,))


@needs_library
def test_it_keeps_half_precision_for_the_backward_pass_where_that_is_asked_for():
    torch.manual_seed(0)
    module, scales = PlainFuser(3, 16, 8), torch.randn(2, 3, 16, 9)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.dtype) or x, lambda x: x):
        FuseFunction.apply(
            scales.permute(0, 3, 1, 2),
            torch.bfloat16,
            torch.tensor([9, 9]),
            (0.0, 1e-5),
            *(module.norm.weight, module.norm.bias, module.project.weight[:, :, 0], module.project.bias),
        )
    assert kept.count(torch.bfloat16) == 2
