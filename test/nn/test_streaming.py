"""A layer sees its past, in one piece or in many."""

import torch
from torch import nn

from zspex_toolkit.nn.streaming import prepend_past


def test_zeros_stand_before_the_beginning():
    frames = torch.tensor([[[1.0, 10.0], [2.0, 20.0]]])  # two frames of two channels
    expected = [[[0, 0], [0, 0], [0, 0], [1, 10], [2, 20]]]
    assert prepend_past(frames, 3, nn.Identity(), None).tolist() == expected


def test_the_last_values_stand_before_the_next_chunk_even_if_chunks_are_shorter_than_the_past():
    layer, memory = nn.Identity(), {}
    pieces = [prepend_past(torch.tensor([[[float(value)]]]), 2, layer, memory) for value in (1, 2, 3)]
    assert [piece.flatten().tolist() for piece in pieces] == [[0, 0, 1], [0, 1, 2], [1, 2, 3]]
