"""Norms over channels and time count what they are said to count, and nothing else."""

import pytest
import torch

from zspex_toolkit.nn.sequence_norm import SequenceNorm


def with_random_gain(norm):
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    return norm


def test_the_global_norm_of_four_numbers_by_hand():
    frames = torch.tensor([[[1.0, 3.0], [5.0, 7.0]]])  # mean 4, variance 5
    expected = (frames - 4) / (5 + 1e-5) ** 0.5
    torch.testing.assert_close(SequenceNorm(2, causal=False)(frames), expected)


def test_the_cumulative_norm_of_four_numbers_by_hand():
    frames = torch.tensor([[[1.0, 5.0], [3.0, 7.0]]])  # first frame: mean 3, variance 4; both: mean 4, variance 5
    expected = torch.tensor([[[-2 / 2, 2 / 2], [-1 / 5**0.5, 3 / 5**0.5]]])
    torch.testing.assert_close(SequenceNorm(2, causal=True)(frames), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_gain_and_bias_are_per_channel(causal):
    norm, plain = SequenceNorm(3, causal=causal), SequenceNorm(3, causal=causal, affine=False)
    frames = torch.randn(2, 7, 3)
    with torch.no_grad():
        norm.weight[:], norm.bias[:] = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 10.0, 20.0])
    expected = plain(frames) * torch.tensor([1.0, 2.0, 3.0]) + torch.tensor([0.0, 10.0, 20.0])
    torch.testing.assert_close(norm(frames), expected)
    assert not list(plain.parameters())


@pytest.mark.parametrize("affine", [True, False])
def test_frames_behind_the_true_ones_are_not_counted(affine):
    norm = with_random_gain(SequenceNorm(4, causal=False)) if affine else SequenceNorm(4, causal=False, affine=False)
    frames = torch.randn(2, 9, 4)
    alone = norm(frames[:1, :5])
    frames[0, 5:] = 1e4
    counted = norm(frames, torch.tensor([5, 9]))
    torch.testing.assert_close(counted[:1, :5], alone)
    torch.testing.assert_close(counted[1:], norm(frames[1:]))


def test_the_last_cumulative_frame_is_the_global_one():
    frames = torch.randn(2, 30, 5)
    torch.testing.assert_close(
        SequenceNorm(5, causal=True)(frames)[:, -1], SequenceNorm(5, causal=False)(frames)[:, -1]
    )


def test_a_later_frame_changes_no_earlier_cumulative_one():
    norm, frames = SequenceNorm(3, causal=True), torch.randn(1, 10, 3)
    changed = frames.clone()
    changed[:, 6:] += 100
    torch.testing.assert_close(norm(changed)[:, :6], norm(frames)[:, :6], rtol=0, atol=0)


@pytest.mark.parametrize("chunk", [1, 3, 10])
def test_a_streamed_cumulative_norm_is_that_of_the_whole(chunk):
    norm, frames, memory = with_random_gain(SequenceNorm(3, causal=True)), torch.randn(2, 10, 3), {}
    streamed = torch.cat([norm(piece, memory=memory) for piece in frames.split(chunk, 1)], 1)
    torch.testing.assert_close(streamed, norm(frames))


def test_the_global_norm_does_not_stream():
    with pytest.raises(AssertionError, match="needs the whole signal"):
        SequenceNorm(2, causal=False)(torch.randn(1, 3, 2), memory={})


@pytest.mark.parametrize("causal", [False, True])
def test_a_large_offset_does_not_eat_the_variance(causal):
    frames = torch.randn(1, 4000, 8, generator=torch.Generator().manual_seed(0))
    norm = SequenceNorm(8, causal=causal)
    torch.testing.assert_close(norm(frames + 1000), norm(frames), rtol=0, atol=2e-3)


@pytest.mark.parametrize("causal", [False, True])
def test_silence_stays_silence_with_a_finite_gradient(causal):
    frames = torch.zeros(1, 5, 2, requires_grad=True)
    out = SequenceNorm(2, causal=causal)(frames)
    out.square().sum().backward()
    assert torch.equal(out, torch.zeros(1, 5, 2)) and torch.isfinite(frames.grad).all()


@pytest.mark.parametrize("causal", [False, True])
def test_half_precision_comes_and_goes_but_the_sums_are_single(causal):
    frames = (100 + torch.randn(1, 2000, 16)).bfloat16()
    norm = SequenceNorm(16, causal=causal)
    with torch.autocast("cpu", torch.bfloat16):
        out = norm(frames)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), norm(frames.float()), rtol=1e-2, atol=1e-2)
