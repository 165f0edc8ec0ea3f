from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zspex_toolkit.io.archive import read_scp
from zspex_toolkit.signal.cmvn import sliding_cmvn

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


def test_a_sliding_mean_equals_that_of_kaldis_own_binary(monkeypatch):
    monkeypatch.chdir(REFERENCE)
    feats = [torch.from_numpy(matrix) for matrix in read_scp("mfcc_demix20.scp").values()]
    num_frames = torch.tensor([len(matrix) for matrix in feats])
    normalised = sliding_cmvn(torch.nn.utils.rnn.pad_sequence(feats, batch_first=True), num_frames)
    expected = list(read_scp("cmvn_sliding.scp").values())
    assert len(expected) == 4
    for row, n, matrix in zip(normalised, num_frames, expected, strict=True):
        np.testing.assert_allclose(row[:n], matrix, rtol=0, atol=1e-3)
        assert not row[n:].any()


def frame_by_frame(feats, window):
    """The loop of Kaldi's feat/feature-functions.cc, SlidingWindowCmn."""
    num_frames, out = len(feats), []
    for t in range(num_frames):
        start, end = t - window // 2, t - window // 2 + window
        if start < 0:
            end, start = end - start, 0
        if end > num_frames:
            start, end = max(0, start - (end - num_frames)), num_frames
        out.append(feats[t] - feats[start:end].astype(np.float64).mean(axis=0))
    return np.array(out)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 30))
def test_any_window_equals_kaldis_loop(lengths, window):
    feats = np.random.default_rng(0).normal(3, 2, (len(lengths), max(lengths), 2)).astype(np.float32)
    out = sliding_cmvn(torch.from_numpy(feats), torch.tensor(lengths), window=window)
    for row, n, normalised in zip(feats, lengths, out, strict=True):
        np.testing.assert_allclose(normalised[:n], frame_by_frame(row[:n], window), atol=1e-4)


def test_an_offset_of_a_million_is_removed_to_the_last_digit_after_an_hour():
    feats = torch.full((1, 360_000, 1), 1e6)
    assert not sliding_cmvn(feats).any()
