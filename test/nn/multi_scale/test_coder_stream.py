"""Coders that get a signal in chunks do what they do with all of it."""

import pytest
import torch

from zspex_toolkit.nn.multi_scale.coder_stream import DecoderStream, EncoderStream
from zspex_toolkit.nn.multi_scale.speech_coder import SpeechDecoder, SpeechEncoder


def encoder(causal=True):
    torch.manual_seed(0)
    return SpeechEncoder(3, (4, 8, 14), 2, causal=causal)


@pytest.mark.parametrize("chunk", [1, 2, 3, 50])
@torch.no_grad()
def test_streamed_frames_are_those_of_the_whole_signal(chunk):
    signal = torch.randn(2, 31)
    stream = EncoderStream(encoder(), 2)
    pieces = [stream.push(piece) for piece in signal.split(chunk, 1)]
    assert stream.finish() is None
    torch.testing.assert_close(torch.cat([piece for piece in pieces if piece is not None], 2), encoder()(signal))


@torch.no_grad()
def test_a_frame_comes_with_its_last_sample():
    stream = EncoderStream(encoder(), 1)
    assert stream.push(torch.ones(1, 3)) is None
    assert stream.push(torch.ones(1, 1)).shape[2] == 1


@torch.no_grad()
def test_a_signal_shorter_than_a_kernel_is_one_frame_at_the_end():
    signal = torch.randn(1, 2)
    stream = EncoderStream(encoder(), 1)
    assert stream.push(signal) is None
    torch.testing.assert_close(stream.finish(), encoder()(signal))


@pytest.mark.parametrize("chunk", [1, 3, 20])
@torch.no_grad()
def test_streamed_samples_are_those_of_all_frames(chunk):
    decoder = SpeechDecoder(3, (4, 8, 14), 2, causal=True)
    frames = torch.randn(2, 20, 3)
    stream = DecoderStream(decoder)
    out = torch.cat([stream.push(piece) for piece in frames.split(chunk, 1)] + [stream.finish()], 1)
    torch.testing.assert_close(out, decoder(frames[:, None], 19 * 2 + 4)[:, 0])


def test_what_needs_the_future_does_not_stream():
    with pytest.raises(AssertionError, match="look ahead"):
        EncoderStream(encoder(causal=False), 1)
