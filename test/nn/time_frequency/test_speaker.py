"""What the enrollment's side makes of frames, padded or not, of as many bands as it has or of more."""

import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.nn.time_frequency.speaker import BandPooling, FrameAttention, SpeakerScaling


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_pooling_sees_the_true_frames_alone():
    torch.manual_seed(0)
    pooling, frames, lengths = BandPooling(3, 4, 6), noise(9, 3, 3, 4), torch.tensor([9, 5, 1])
    together = pooling(frames, lengths)
    assert together.shape == (3, 6)
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(together[row : row + 1], pooling(frames[:length, row : row + 1]))


@torch.no_grad()
def test_pooling_does_not_know_the_order_of_frames_nor_how_often_all_come():
    torch.manual_seed(0)
    pooling, frames = BandPooling(3, 4, 6), noise(9, 2, 3, 4)
    torch.testing.assert_close(pooling(frames.flip(0)), pooling(frames))
    torch.testing.assert_close(pooling(torch.cat([frames, frames])), pooling(frames))


@torch.no_grad()
def test_pooling_is_the_mean_and_deviation_of_weighted_frames():
    torch.manual_seed(0)
    pooling, frames = BandPooling(2, 4, 6), noise(5, 1, 2, 4)
    normed = pooling.norm(frames)
    weights = pooling.weigh(normed).exp()
    weights = weights / weights.sum(0)
    mean = (weights * normed).sum(0)
    spread = (weights * (normed - mean).square()).sum(0).sqrt()
    expected = pooling.out_norm(pooling.project(torch.cat([mean, spread], -1).flatten(1)))
    torch.testing.assert_close(pooling(frames), expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_speaker_scales_and_shifts_channels_of_the_own_row():
    torch.manual_seed(0)
    scaling, frames, embedding = SpeakerScaling(6, 3, 4), noise(5, 2, 3, 4), noise(2, 6)
    scale, shift = scaling.project(embedding).view(2, 2, 3, 4).unbind(1)
    torch.testing.assert_close(scaling(frames, embedding), (1 + scale) * frames + shift)
    assert (scaling(frames, embedding) - frames).abs().max() < 0.3  # untrained, it changes little
    torch.testing.assert_close(scaling(frames, torch.zeros(2, 6)), frames)


@torch.no_grad()
def test_attention_looks_at_true_frames_alone():
    torch.manual_seed(0)
    attention, frames, enrollment = FrameAttention(3, 4, 8, 6, 2), noise(5, 2, 3, 4), noise(7, 2, 3, 4, seed=1)
    memory, lengths = attention.remember(enrollment), torch.tensor([7, 2])
    assert memory.shape == (2, 8 + 6, 7)
    together = attention(frames, memory, torch.arange(7) < lengths[:, None])
    for row, length in enumerate(lengths.tolist()):
        alone = attention(frames[:, row : row + 1], attention.remember(enrollment[:length, row : row + 1]))
        torch.testing.assert_close(together[:, row : row + 1], alone)


@torch.no_grad()
def test_attention_is_its_equation():
    torch.manual_seed(0)
    attention, frames, enrollment = FrameAttention(3, 4, 8, 6, 2), noise(5, 1, 3, 4), noise(7, 1, 3, 4, seed=1)
    query = attention.query(attention.query_norm(frames.flatten(2)))[:, 0]
    keys, values = attention.memory(attention.memory_norm(enrollment.flatten(2)))[:, 0].split([8, 6], 1)
    found = [  # 4 of the keys' and 3 of the values' channels are those of a head
        (query[:, 4 * head : 4 * head + 4] @ keys[:, 4 * head : 4 * head + 4].t() / 2).softmax(1)
        @ values[:, 3 * head : 3 * head + 3]
        for head in range(2)
    ]
    expected = frames + attention.out(torch.cat(found, 1)).view(5, 1, 3, 4)
    torch.testing.assert_close(attention(frames, attention.remember(enrollment)), expected)


@torch.no_grad()
def test_more_bands_than_a_part_has_are_seen_as_means_of_neighbours_and_changed_alike():
    torch.manual_seed(0)
    pooling, scaling, attention = BandPooling(3, 4, 6), SpeakerScaling(6, 3, 4), FrameAttention(3, 4, 8, 6, 2)
    frames, embedding = noise(5, 2, 3, 4), noise(2, 6)
    twice = frames.repeat_interleave(2, 2)  # two equal bands for each
    torch.testing.assert_close(pooling(twice), pooling(frames))
    torch.testing.assert_close(scaling(twice, embedding), scaling(frames, embedding).repeat_interleave(2, 2))
    memory = attention.remember(frames)
    torch.testing.assert_close(attention.remember(twice), memory)
    torch.testing.assert_close(attention(twice, memory), attention(frames, memory).repeat_interleave(2, 2))


@pytest.mark.parametrize("num_bands", [4, 7, 17])
@torch.no_grad()
def test_any_number_of_bands_over_its_own_will_do(num_bands):
    torch.manual_seed(0)
    frames = noise(5, 2, num_bands, 4)
    assert BandPooling(4, 4, 6)(frames).shape == (2, 6)
    changed = SpeakerScaling(6, 4, 4)(frames, noise(2, 6))
    assert changed.shape == frames.shape and (changed != frames).all()
    attention = FrameAttention(4, 4, 8, 6, 2)
    changed = attention(frames, attention.remember(frames))
    assert changed.shape == frames.shape and (changed != frames).all()


@pytest.mark.parametrize(("key_dim", "value_dim", "named"), [(6, 8, "key_dim"), (8, 6, "value_dim")])
def test_heads_that_cannot_share_evenly_are_refused(key_dim, value_dim, named):
    with pytest.raises(ConfigError, match=rf"{named}: expected a multiple of num_heads \(4\), got 6"):
        FrameAttention(2, 3, key_dim, value_dim, 4)
