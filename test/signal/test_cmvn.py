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


def frame_by_frame(feats, window, center, normalize_variance, min_window):
    """The loop of Kaldi's feat/feature-functions.cc, SlidingWindowCmn."""
    num_frames, out = len(feats), []
    for t in range(num_frames):
        start = t - window // 2 if center else t - window
        end = start + window if center else t + 1
        if start < 0:
            end, start = end - start, 0
        if not center and end > t:
            end = max(t + 1, min_window)
        if end > num_frames:
            start, end = max(0, start - (end - num_frames)), num_frames
        part = feats[start:end].astype(np.float64)
        frame = feats[t] - part.mean(axis=0)
        if normalize_variance:
            frame = 0 * frame if len(part) == 1 else frame / np.sqrt(np.maximum(part.var(axis=0), 1e-10))
        out.append(frame)
    return np.array(out)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
    st.integers(1, 30),
    st.booleans(),
    st.booleans(),
    st.integers(1, 20),
)
def test_any_window_equals_kaldis_loop(lengths, window, center, normalize_variance, min_window):
    rng = np.random.default_rng(0)
    feats = rng.normal(3, 2, (len(lengths), max(lengths), 2)).astype(np.float32)
    options = {"window": window, "center": center, "normalize_variance": normalize_variance, "min_window": min_window}
    out = sliding_cmvn(torch.from_numpy(feats), torch.tensor(lengths), **options)
    for row, n, normalised in zip(feats, lengths, out, strict=True):
        np.testing.assert_allclose(normalised[:n], frame_by_frame(row[:n], **options), atol=1e-4)


def test_an_offset_of_a_million_is_removed_to_the_last_digit_after_an_hour():
    feats = torch.full((1, 360_000, 1), 1e6)
    assert not sliding_cmvn(feats).any()
