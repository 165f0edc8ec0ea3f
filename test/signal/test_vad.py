from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.archive import read_scp
from zspex_toolkit.signal.vad import energy_vad
from zspex_toolkit.signal.vad_config import VadConfig

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


def test_decisions_equal_those_of_kaldis_own_binary(monkeypatch):
    monkeypatch.chdir(REFERENCE)
    feats = [torch.from_numpy(matrix) for matrix in read_scp("mfcc_demix20.scp").values()]
    num_frames = torch.tensor([len(matrix) for matrix in feats])
    voiced = energy_vad(torch.nn.utils.rnn.pad_sequence(feats, batch_first=True), num_frames)
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
    feats = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in batch], batch_first=True)[..., None]
    voiced = energy_vad(feats, torch.tensor([len(row) for row in batch]), config)
    for decisions, row in zip(voiced.tolist(), batch, strict=True):
        assert decisions == frame_by_frame(row, config) + [False] * (feats.shape[1] - len(row))


def test_the_mean_of_the_utterance_moves_the_threshold():
    feats = torch.tensor([[10.0, 10.0, 10.0, 14.0]])[..., None]  # mean 11: threshold 5 + 5.5 = 10.5
    config = VadConfig(energy_threshold=5.0, energy_mean_scale=0.5, frames_context=0, proportion_threshold=0.6)
    assert energy_vad(feats, config=config).tolist() == [[False, False, False, True]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames_context": -1}, "frames_context: expected 0 or more frames, got -1"),
        ({"proportion_threshold": 1.2}, "proportion_threshold: expected a share of 0 to 1, got 1.2"),
    ],
)
def test_an_impossible_setting_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        VadConfig(**change)
