import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from zspex_toolkit.nn.matrix_product import frames_linear
from zspex_toolkit.nn.separate_layers import fuses, separate_layers


def test_computations_on_a_cpu_are_fused_until_switched_off():
    frames = torch.zeros(1)
    assert fuses(frames)
    with pytest.raises(KeyError), separate_layers():
        assert not fuses(frames)
        raise KeyError
    assert fuses(frames)


def test_computations_elsewhere_are_not_fused():
    assert not fuses(torch.zeros(1, device="meta"))


def test_separate_layers_show_their_operations_to_a_counter():
    with FlopCounterMode(display=False) as counter, separate_layers():
        frames_linear(torch.zeros(2, 3), torch.zeros(5, 3))
    assert counter.get_total_flops() == 2 * 30
