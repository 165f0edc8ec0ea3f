"""Signals are decoded from encodings times masks, whatever computes them."""

import torch

from zspex_toolkit.nn.mask_generator import ScaleInterMasks
from zspex_toolkit.nn.separation import separate
from zspex_toolkit.nn.speech_coder import SpeechDecoder
from zspex_toolkit.nn.tac import TransformAverageConcatenate


def test_signals_are_those_of_masked_encodings_with_any_exchange():
    torch.manual_seed(0)
    for options in ({}, {"causal": True}, {"norm": False}, {"residual": False}):
        masks = ScaleInterMasks(8, 2, 16, TransformAverageConcatenate(16, 16, **options))
        decoder, frames, encodings = SpeechDecoder(16, (4, 8), 4), torch.randn(1, 8, 6), torch.rand(1, 2, 16, 6)
        expected = decoder(encodings * masks(frames), 20)
        torch.testing.assert_close(separate(frames, encodings, masks, decoder, 20), expected, rtol=1e-4, atol=1e-5)
