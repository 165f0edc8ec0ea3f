import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.signal.framing import count_frames, mirror_edges


def test_without_snipping_a_third_of_a_shift_gives_no_frame_and_half_a_shift_gives_one():
    counts = [count_frames(n, frame_length=400, frame_shift=160, snip_edges=False) for n in (0, 79, 80, 239, 240)]
    assert counts == [0, 0, 1, 1, 2]


@given(st.integers(0, 2000), st.integers(1, 300), st.integers(1, 300))
def test_with_snipping_every_counted_frame_lies_within_the_signal_and_one_more_would_not(n, length, shift):
    count = count_frames(n, frame_length=length, frame_shift=shift)
    assert count == 0 or (count - 1) * shift + length <= n
    assert count * shift + length > n


@pytest.mark.parametrize("num_samples", [1, 2, 3, 5, 50])
def test_mirrored_samples_follow_kaldis_rule_even_for_signals_shorter_than_the_edge(num_samples):
    before, after = 7, 9
    signal = torch.zeros(before + num_samples + after)
    signal[before : before + num_samples] = torch.arange(1.0, num_samples + 1)
    mirror_edges(signal, torch.tensor([before]), torch.tensor([num_samples]), before=before, after=after)

    def sample(s):  # ExtractWindow of Kaldi's feature-window.cc
        while s < 0 or s >= num_samples:
            s = -s - 1 if s < 0 else 2 * num_samples - 1 - s
        return s + 1.0

    assert signal.tolist() == [sample(s) for s in range(-before, num_samples + after)]


def test_every_utterance_of_a_signal_is_mirrored_at_its_own_ends():
    signal = torch.tensor([0.0, 1, 2, 0, 0, 5, 6, 7, 0])
    mirror_edges(signal, torch.tensor([1, 5]), torch.tensor([2, 3]), before=1, after=1)
    assert signal.tolist() == [1, 1, 2, 2, 5, 5, 6, 7, 7]
