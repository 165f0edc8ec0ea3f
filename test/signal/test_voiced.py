from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from zspex_toolkit.io.archive import read_scp
from zspex_toolkit.signal.voiced import select_voiced

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


def test_the_frames_kept_are_those_of_kaldis_own_binary(monkeypatch):
    monkeypatch.chdir(REFERENCE)
    feats = [torch.from_numpy(matrix) for matrix in read_scp("cmvn_sliding.scp").values()]
    voiced = [torch.from_numpy(vector) > 0.5 for vector in read_scp("vad.scp").values()]
    kept, num_frames = select_voiced(
        pad_sequence(feats, batch_first=True),
        pad_sequence(voiced, batch_first=True),
        torch.tensor([len(m) for m in feats]),
    )
    expected = list(read_scp("voiced.scp").values())
    assert len(expected) == 4
    for row, n, matrix in zip(kept, num_frames, expected, strict=True):
        assert np.array_equal(row[:n], matrix)


def test_frames_beyond_the_end_are_never_kept_and_the_rest_is_zero():
    feats = torch.arange(1.0, 9.0).view(2, 4, 1)
    kept, num_frames = select_voiced(feats, torch.ones(2, 4, dtype=torch.bool), torch.tensor([1, 3]))
    assert kept[..., 0].tolist() == [[1, 0, 0], [5, 6, 7]]
    assert num_frames.tolist() == [1, 3]


def test_an_utterance_without_a_voiced_frame_has_none_left():
    kept, num_frames = select_voiced(torch.ones(1, 3, 2), torch.zeros(1, 3, dtype=torch.bool))
    assert (kept.shape, num_frames.tolist()) == ((1, 0, 2), [0])


def test_decisions_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"voiced: expected \(1, 3\) decisions as there are frames, got \(1, 2\)"):
        select_voiced(torch.ones(1, 3, 2), torch.ones(1, 2, dtype=torch.bool))
