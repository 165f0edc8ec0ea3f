"""A block keeps shapes, goes along a stream, and does not look behind the end of a signal."""

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.time_frequency.block import RECURRENCES, BandSplitBlock, GatedRecurrence
from zspex_toolkit.nn.time_frequency.scan import gated_scan

EVERY = pytest.mark.parametrize("recurrence", RECURRENCES)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def block_of(recurrence, **options):
    torch.manual_seed(0)
    return BandSplitBlock(3, 8, 5, 7, recurrence=recurrence, **options).eval()


@EVERY
@torch.no_grad()
def test_every_output_depends_on_every_frame_and_band(recurrence):
    block, frames = block_of(recurrence), noise(6, 1, 3, 8)
    before = block(frames)
    assert before.shape == frames.shape
    for frame, band in ((0, 0), (3, 1), (5, 2)):
        changed = frames.clone()
        changed[frame, :, band] += noise(8, seed=1)
        assert ((block(changed) - before).abs().amax(-1) > 0).all()


@EVERY
@torch.no_grad()
def test_a_causal_block_does_not_look_ahead(recurrence):
    block, frames = block_of(recurrence, causal=True), noise(6, 2, 3, 8)
    changed = frames.clone()
    changed[4:] += 1
    difference = (block(changed) - block(frames)).abs().amax((1, 2, 3))
    assert difference[:4].max() == 0 and difference[4:].min() > 0


@EVERY
@torch.no_grad()
def test_a_stream_gives_what_the_whole_gives(recurrence):
    block, frames = block_of(recurrence, causal=True), noise(7, 2, 3, 8)
    for sizes in ([1] * 7, [3, 1, 3], [7]):
        memory = {}
        streamed = torch.cat([block(part, memory) for part in frames.split(sizes)])
        torch.testing.assert_close(streamed, block(frames))


@EVERY
@pytest.mark.parametrize("causal", [False, True])
@torch.no_grad()
def test_what_lies_behind_the_end_changes_nothing_before_it(recurrence, causal):
    block, frames = block_of(recurrence, causal=causal), noise(7, 3, 3, 8)
    lengths = torch.tensor([7, 4, 1])
    together = block(frames, num_frames=lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = block(frames[:length, row : row + 1])
        torch.testing.assert_close(together[:length, row : row + 1], alone)


@torch.no_grad()
def test_the_gated_recurrence_is_its_equations():
    torch.manual_seed(0)
    layer, frames = GatedRecurrence(8, 5), noise(6, 2, 3, 8)
    normed = layer.norm(frames)
    late, early = torch.zeros_like(normed), torch.zeros_like(normed)
    late[1:], early[:-1] = normed[:-1], normed[1:]
    seen = torch.cat([late[..., :2], early[..., 2:4], normed[..., 4:]], -1)  # a quarter from before, one from behind
    forget, candidate = layer.inner(seen).split(10, -1)
    states = gated_scan(forget, candidate, backwards=5)
    gate = layer.gate(seen)
    torch.testing.assert_close(layer(frames), frames + layer.outer(states * gate * gate.sigmoid()))


def test_an_unknown_recurrence_is_refused():
    with pytest.raises(ConfigError, match="recurrence: expected one of sru, gru, lstm, got 'rnn'"):
        BandSplitBlock(3, 8, 5, 7, recurrence="rnn")
