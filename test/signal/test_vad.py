from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pad_sequence

from zspex_toolkit.io.archive import read_scp
from zspex_toolkit.signal.front_end_config import VadConfig
from zspex_toolkit.signal.vad import energy_vad, select_voiced

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


def test_decisions_equal_those_of_kaldis_own_binary(monkeypatch):
    monkeypatch.chdir(REFERENCE)
    feats = [torch.from_numpy(matrix) for matrix in read_scp("mfcc_demix20.scp").values()]
    num_frames = torch.tensor([len(matrix) for matrix in feats])
    voiced = energy_vad(pad_sequence(feats, batch_first=True), num_frames)
    expected = list(read_scp("vad.scp").values())
    assert len(expected) == 4
    for row, n, decisions in zip(voiced, num_frames, expected, strict=True):
        assert np.array_equal(row[:n].numpy(), decisions > 0.5)
        assert not row[n:].any()


def frame_by_frame(log_energy, config):
    """The loops of Kaldi's ivector/voice-activity-detection.cc."""
    log_energy = np.asarray(log_energy, dtype=np.float32)
    threshold = config.energy_threshold + config.energy_mean_scale * log_energy.mean(dtype=np.float64)
    out = []
    for t in range(len(log_energy)):
        votes = voters = 0
        for t2 in range(t - config.frames_context, t + config.frames_context + 1):
            if 0 <= t2 < len(log_energy):
                voters += 1
                votes += log_energy[t2] > threshold
        out.append(votes >= voters * config.proportion_threshold)
    return out


# energies on a grid of 1/4 around a threshold on the eighths: no decision hangs on the last bit
energies = st.lists(st.integers(0, 80).map(lambda n: n / 4), min_size=1, max_size=40)


@settings(max_examples=100, deadline=None)
@given(st.lists(energies, min_size=1, max_size=4), st.integers(0, 5), st.sampled_from([0.12, 0.3, 0.5, 0.6, 1.0]))
def test_decisions_equal_kaldis_loops_for_any_batch(batch, context, proportion):
    config = VadConfig(10.125, 0.0, context, proportion)
    feats = pad_sequence([torch.tensor(row) for row in batch], batch_first=True)[..., None]
    voiced = energy_vad(feats, torch.tensor([len(row) for row in batch]), config)
    for decisions, row in zip(voiced.tolist(), batch, strict=True):
        assert decisions == frame_by_frame(row, config) + [False] * (feats.shape[1] - len(row))


def test_the_mean_of_the_utterance_moves_the_threshold():
    feats = torch.tensor([[10.0, 10.0, 10.0, 14.0]])[..., None]  # mean 11: threshold 5 + 5.5 = 10.5
    config = VadConfig(energy_threshold=5.0, energy_mean_scale=0.5, frames_context=0, proportion_threshold=0.6)
    assert energy_vad(feats, config=config).tolist() == [[False, False, False, True]]


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
