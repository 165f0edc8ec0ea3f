"""All scales stand on one time grid, and the way back gives exactly the length that came."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.multi_scale.speech_coder import SpeechDecoder, SpeechEncoder, overlap_add

KERNELS = (4, 8, 14)


def coders(causal=False, kernels=KERNELS, stride=2):
    torch.manual_seed(0)
    return SpeechEncoder(3, kernels, stride, causal=causal), SpeechDecoder(3, kernels, stride, causal=causal)


def test_a_signal_of_9_samples_has_three_frames_of_4_samples_in_steps_of_2():
    encoder, _ = coders()
    assert encoder.num_frames(9) == 3
    assert encoder.num_frames(torch.tensor([9, 10, 1])).tolist() == [3, 4, 1]


@pytest.mark.parametrize("causal", [False, True])
def test_an_encoding_is_the_padded_convolution(causal):
    encoder, _ = coders(causal)
    signal = torch.randn(2, 11, requires_grad=True)  # frames: (11 - 4) // 2 + 1 = 4
    out, probe = encoder(signal), torch.randn(2, 3, 4, 3)
    for scale, size in enumerate(KERNELS):
        padded = functional.pad(signal, (size - 4, 0) if causal else (0, 20))[:, None, : 3 * 2 + size]
        layer = encoder.filters[scale]
        expected = torch.relu(functional.conv1d(padded, layer.weight, layer.bias, 2)).transpose(1, 2)
        torch.testing.assert_close(out[:, scale], expected)
        inputs = (signal, layer.weight, layer.bias)
        theirs = torch.autograd.grad((expected * probe[:, scale]).sum(), inputs)
        actual = torch.autograd.grad((out[:, scale] * probe[:, scale]).sum(), inputs, retain_graph=True)
        torch.testing.assert_close(actual, theirs, rtol=1e-4, atol=1e-5)


# Frames beside each other, frames that overlap, and kernels that the stride does not divide.
@pytest.mark.parametrize(("size", "stride"), [(4, 4), (8, 2), (5, 4), (33, 10)])
@pytest.mark.parametrize("num_frames", [1, 12])
def test_overlap_add_is_a_transposed_convolution(size, stride, num_frames):
    torch.manual_seed(0)
    layer = nn.ConvTranspose1d(6, 1, size, stride, bias=False)
    encoding = torch.randn(2, num_frames, 6, requires_grad=True)
    actual, expected = overlap_add(encoding, layer), layer(encoding.transpose(1, 2))[:, 0]
    torch.testing.assert_close(actual, expected)
    probe, inputs = torch.randn_like(expected), (encoding, layer.weight)
    theirs = torch.autograd.grad((expected * probe).sum(), inputs)
    torch.testing.assert_close(torch.autograd.grad((actual * probe).sum(), inputs), theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("num_samples", [1, 20, 27, 60])  # 12 frames reach 26 samples by the shortest kernel
def test_a_decoded_signal_is_a_transposed_convolution_cut_or_filled_with_zeros(causal, num_samples):
    _, decoder = coders(causal)
    scales = torch.randn(2, 3, 12, 3)
    out = decoder(scales, num_samples)
    for scale, size in enumerate(KERNELS):
        signal = decoder.filters[scale](scales[:, scale].transpose(1, 2))[:, 0, size - 4 if causal else 0 :]
        expected = functional.pad(signal, (0, 60))[:, :num_samples]
        torch.testing.assert_close(out[:, scale], expected)


def test_the_first_scale_alone_is_decoded_as_among_all():
    encoder, decoder = coders()
    scales = encoder(torch.randn(2, 50))
    assert torch.equal(decoder(scales[:, :1], 50)[:, 0], decoder(scales, 50)[:, 0])


def test_waveforms_keep_single_precision_under_autocast():
    encoder, decoder = coders()
    signal = torch.randn(1, 50)
    with torch.autocast("cpu", torch.bfloat16):
        scales = encoder(signal)
        assert torch.equal(decoder(scales, 50), decoder(scales, 50).float())
        assert scales.dtype == torch.float32
    torch.testing.assert_close(scales, encoder(signal))


def test_strange_kernels_are_refused():
    for kernels, stride, message in (
        ((8, 4), 2, r"kernel_sizes: expected ascending numbers of samples, got \(8, 4\)"),
        ((4, 4), 2, "ascending"),
        ((), 2, "ascending"),
        ((4, 8), 5, r"kernel_sizes: expected at least the stride, 5 samples, each, got \(4, 8\)"),
        ((4, 8), 0, "stride: expected at least 1 sample, got 0"),
    ):
        with pytest.raises(ConfigError, match=message):
            SpeechEncoder(3, kernels, stride)
