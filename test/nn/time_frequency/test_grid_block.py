"""A TF-GridNet block is the paper's: compared with torch's own unfolding, LSTM, convolutions and attention."""

import math

import pytest
import torch
from torch.nn import functional

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.time_frequency.block import RECURRENCES
from zspex_toolkit.nn.time_frequency.grid_block import CrossFrameAttention, GridBlock, UnfoldedRecurrence
from zspex_toolkit.nn.time_frequency.scan import gated_scan

EVERY = pytest.mark.parametrize("recurrence", RECURRENCES)
SIZES = pytest.mark.parametrize(("kernel", "stride"), [(4, 1), (4, 2), (4, 4), (1, 1)])


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def filled(module):
    """With parameters that hide no part: gains of one and shifts of zero would."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, parameter.detach().mean(), 0.3)
    return module.eval()


def by_torch(layer, frames):
    """(S, P, Q, N) by unfold, recurrence and transposed convolution as torch has them, where S fits the stride."""
    length, channels = len(frames), frames.shape[3]
    rows = layer.norm(frames).flatten(1, 2).permute(1, 2, 0)  # (P Q, N, S)
    pieces = functional.unfold(rows[..., None], (layer.kernel, 1), stride=(layer.stride, 1))  # (P Q, N I, S')
    # torch has the neighbours of a channel side by side, the layer the channels of a neighbour
    steps = pieces.unflatten(1, (channels, layer.kernel)).transpose(1, 2).flatten(1, 2).permute(2, 0, 1)
    states = layer.inner.inner(steps)[0].permute(1, 2, 0)
    weight = layer.outer.weight.t().unflatten(1, (layer.kernel, channels)).transpose(1, 2)  # (2 H, N, I)
    back = functional.conv_transpose1d(states, weight, layer.bias, stride=layer.stride)
    assert back.shape[2] == length
    return frames + back.permute(2, 0, 1).view_as(frames)


@SIZES
@pytest.mark.parametrize("recurrence", ["lstm", "gru"])
@torch.no_grad()
def test_the_recurrence_is_unfold_recurrence_and_transposed_convolution(kernel, stride, recurrence):
    layer = filled(UnfoldedRecurrence(3, 5, kernel, stride, recurrence))
    for length in (4, 12):
        frames = noise(length, 2, 3, 3)
        torch.testing.assert_close(layer(frames), by_torch(layer, frames))


@SIZES
@torch.no_grad()
def test_sizes_that_do_not_fit_are_filled_up_with_zeros(kernel, stride):
    layer = filled(UnfoldedRecurrence(3, 5, kernel, stride, "lstm"))
    layer.norm.bias.zero_()  # zeros stay zeros behind the norm
    for length in (1, 2, 3, 5, 6, 7, 13):
        frames = noise(length, 2, 3, 3)
        size = kernel + stride * max(0, math.ceil((length - kernel) / stride))
        padded = functional.pad(frames, (0, 0, 0, 0, 0, 0, 0, size - length))
        torch.testing.assert_close(layer(frames), by_torch(layer, padded)[:length])


@torch.no_grad()
def test_the_gated_recurrence_takes_the_place_of_the_lstm():
    layer, frames = filled(UnfoldedRecurrence(3, 5, 2, 2, "sru")), noise(6, 2, 3, 3)
    steps = layer.norm(frames).unflatten(0, (3, 2)).permute(0, 2, 3, 1, 4).flatten(3)  # pairs of neighbours
    forget, candidate = layer.inner.inner(steps).split(10, -1)
    states = gated_scan(forget, candidate, backwards=5) * functional.silu(layer.inner.gate(steps))
    back = layer.outer(states).unflatten(3, (2, 3)).permute(0, 3, 1, 2, 4).flatten(0, 1)
    torch.testing.assert_close(layer(frames), frames + back + layer.bias)


@torch.no_grad()
def test_attention_is_that_of_the_paper():
    num_heads, size, num_bands, channels = 2, 3, 5, 4
    layer, frames = filled(CrossFrameAttention(num_bands, channels, size, num_heads)), noise(6, 1, num_bands, channels)

    def projected(part, image, head, width):
        """1 x 1 convolution, PReLU, norm over channels and bands, of one head: (L, K, E)."""
        rows = slice(width * head, width * head + width)
        weight, bias = part.linear.weight[rows, :, None, None], part.linear.bias[rows]
        bands = functional.prelu(functional.conv2d(image, weight, bias), part.slope[head, None])[0].permute(1, 2, 0)
        mean = bands.mean((1, 2), keepdim=True)
        bands = (bands - mean) / (bands.var((1, 2), keepdim=True, correction=0) + 1e-5).sqrt()
        return bands * part.gain[head] + part.shift[head]

    image, found = frames.permute(1, 3, 0, 2), []  # (1, N, L, K)
    for head in range(num_heads):
        query, key = (projected(part, image, head, size).flatten(1) for part in (layer.query, layer.key))
        value = projected(layer.value, image, head, channels // num_heads)
        weights = (query @ key.t() / math.sqrt(num_bands * size)).softmax(1)
        found.append(torch.einsum("lm,mkv->lkv", weights, value))
    together = torch.cat(found, 2).permute(2, 0, 1)[None]
    expected = frames[:, 0] + projected(layer.out, together, 0, channels)
    torch.testing.assert_close(layer(frames)[:, 0], expected)


@EVERY
@torch.no_grad()
def test_every_output_depends_on_every_frame_and_band(recurrence):
    block, frames = filled(GridBlock(5, 4, 3, recurrence=recurrence, num_heads=2)), noise(6, 1, 5, 4)
    before = block(frames)
    assert before.shape == frames.shape
    for frame, band in ((0, 0), (3, 2), (5, 4)):
        changed = frames.clone()
        changed[frame, :, band] += noise(4, seed=1)
        assert ((block(changed) - before).abs().amax(-1) > 0).all()


@EVERY
@pytest.mark.parametrize(("kernel", "stride"), [(4, 1), (4, 2), (2, 2)])
@torch.no_grad()
def test_what_lies_behind_the_end_changes_nothing_before_it(recurrence, kernel, stride):
    block = filled(GridBlock(5, 4, 3, kernel=kernel, stride=stride, recurrence=recurrence, num_heads=2))
    frames, lengths = noise(9, 4, 5, 4), torch.tensor([9, 6, 3, 1])
    together = block(frames, num_frames=lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = block(frames[:length, row : row + 1])
        torch.testing.assert_close(together[:length, row : row + 1], alone, rtol=1e-5, atol=1e-5)


def test_bands_of_one_frame_are_all_that_the_first_part_sees():
    block, frames = filled(GridBlock(5, 4, 3, num_heads=2)), noise(6, 1, 5, 4).requires_grad_()
    (gradient,) = torch.autograd.grad(block.bands(frames.permute(2, 0, 1, 3))[:, 2].sum(), frames)
    assert gradient.abs().sum((1, 2, 3)).nonzero()[:, 0].tolist() == [2]
    (gradient,) = torch.autograd.grad(block.time(frames)[:, :, 2].sum(), frames)
    assert gradient.abs().sum((0, 1, 3)).nonzero()[:, 0].tolist() == [2]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match=r"kernel: expected a multiple of the stride \(3\), got 4"):
        GridBlock(5, 4, 3, kernel=4, stride=3)
    with pytest.raises(ConfigError, match=r"kernel: expected a multiple of the stride \(0\), got 4"):
        GridBlock(5, 4, 3, kernel=4, stride=0)
    with pytest.raises(ConfigError, match="channels: expected a multiple of the 4 heads, got 6"):
        GridBlock(5, 6, 3, num_heads=4)
    with pytest.raises(ConfigError, match="recurrence: expected one of sru, gru, lstm, got 'rnn'"):
        GridBlock(5, 4, 3, recurrence="rnn")
