import pytest
import torch
from same_gradients import assert_same, needs_library
from torch import nn

from zspex_toolkit.nn.mask_generator import ScaleInterMasks, SeparateMasks
from zspex_toolkit.nn.separation import separate
from zspex_toolkit.nn.speech_coder import SpeechDecoder
from zspex_toolkit.nn.tac import TransformAverageConcatenate


@needs_library
@pytest.mark.parametrize("exchanging", [True, False])
@pytest.mark.parametrize("causal", [False, True])
def test_masks_and_their_waveforms_and_all_gradients_are_those_of_the_layers(exchanging, causal):
    torch.manual_seed(0)
    exchange = TransformAverageConcatenate(16, 32)
    masks = ScaleInterMasks(8, 3, 16, exchange) if exchanging else SeparateMasks(8, 3, 16)
    decoder = SpeechDecoder(16, (4, 9, 32), 4, causal=causal)
    frames = torch.randn(2, 8, 11, requires_grad=True)
    encodings = torch.rand(2, 3, 16, 11).requires_grad_(True)
    module = nn.ModuleList([masks, decoder])
    assert_same(module, lambda: separate(frames, encodings, masks, decoder, 50), (frames, encodings))
