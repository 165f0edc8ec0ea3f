import pytest
import torch
from same_gradients import assert_same, needs_library
from torch.nn import functional

from zspex_toolkit.nn.coder_function import Grid, decode, decode_gradients
from zspex_toolkit.nn.speech_coder import SpeechEncoder


@needs_library
@pytest.mark.parametrize("causal", [False, True])
def test_an_encoder_and_the_gradients_of_its_filters_are_those_of_convolutions(causal):
    torch.manual_seed(0)
    module, signal = SpeechEncoder(16, (5, 12, 33), 4, causal=causal), torch.randn(2, 90)
    assert_same(module, lambda: module(signal))


@needs_library
@pytest.mark.parametrize("num_samples", [1, 20, 57, 80])
def test_decoding_and_its_gradient_are_a_transposed_convolution(num_samples):
    torch.manual_seed(0)
    grid, masked = Grid(4, (0, 3), num_samples), torch.randn(2, 2 * 12, 16, requires_grad=True)
    weights = [torch.randn(16, size, requires_grad=True) for size in (5, 20)]
    biases = [torch.randn(1, requires_grad=True) for _ in weights]
    rows = []
    for scale, (weight, bias, begin) in enumerate(zip(weights, biases, grid.begins, strict=True)):
        encoding = masked[scale].view(2, 12, 16).transpose(1, 2)
        signal = functional.conv_transpose1d(encoding, weight[:, None], bias, 4)[:, 0, begin : begin + num_samples]
        rows.append(functional.pad(signal, (0, num_samples - signal.shape[1])))
    expected = torch.stack(rows, 1)
    with torch.no_grad():
        torch.testing.assert_close(decode(masked, weights, biases, grid, 2), expected, rtol=1e-4, atol=1e-5)
    probe = torch.randn_like(expected)
    of_masked, *of_biases = torch.autograd.grad((expected * probe).sum(), (masked, *biases))
    frames, sums = decode_gradients(probe, weights, grid, masked[0].detach())
    torch.testing.assert_close(sums, of_biases, rtol=1e-4, atol=1e-5)
    back = torch.stack([frame @ weight.t() for frame, weight in zip(frames, weights, strict=True)])
    torch.testing.assert_close(back, of_masked, rtol=1e-4, atol=1e-4)
