"""Operations are counted as by hand."""

import torch
from torch import nn

from zspex_toolkit.nn.macs import count_macs


def test_a_convolution_takes_a_product_for_each_output_input_and_tap():
    outputs, channels, inputs, taps = 8, 4, 2, 3
    network = nn.Sequential(nn.Conv1d(inputs, channels, taps), nn.BatchNorm1d(channels), nn.ReLU()).eval()
    assert count_macs(network, torch.zeros(1, inputs, 10)) == outputs * channels * inputs * taps


def test_a_method_is_counted_like_a_network():
    network = nn.ConvTranspose1d(3, 1, 20, stride=10)
    assert count_macs(network.forward, torch.zeros(1, 3, 7)) == 3 * 20 * 7
