import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from zspex_toolkit.config import dump_config, load_config
from zspex_toolkit.io.archive import read_scp
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.table import read_table
from zspex_toolkit.signal.front_end import FrontEnd, FrontEndConfig
from zspex_toolkit.signal.front_end_config import DEMIXING, MfccConfig, VadConfig
from zspex_toolkit.signal.vad import energy_vad

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


def bursts(num_samples, seed=0):
    """Noise that is loud and soft by turns of a quarter of a second."""
    noise = torch.randn(num_samples, generator=torch.Generator().manual_seed(seed))
    return noise * torch.tensor([0.1, 1e-5]).repeat_interleave(4000).repeat(num_samples // 8000 + 1)[:num_samples]


def test_waveforms_become_what_kaldis_chain_of_binaries_makes_of_them(monkeypatch):
    monkeypatch.chdir(REFERENCE)
    wavs = [torch.from_numpy(read_audio(path)[0]) for path in read_table("wav.scp").values()]
    batch = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True)
    feats, num_frames = FrontEnd()(batch, torch.tensor([len(wav) for wav in wavs]))
    expected = list(read_scp("voiced.scp").values())
    assert num_frames.tolist() == [len(matrix) for matrix in expected]
    for row, n, matrix in zip(feats, num_frames, expected, strict=True):
        np.testing.assert_allclose(row[:n], matrix, rtol=0, atol=2e-2)


def test_stored_features_give_the_same_as_the_waveform():
    front_end = FrontEnd()
    mfcc, _ = front_end.mfcc(bursts(32000)[None])
    voiced = energy_vad(mfcc)[0]
    feats, num_frames = front_end(bursts(32000)[None])
    assert 0 < num_frames.item() < 200
    assert torch.equal(front_end.from_mfcc(mfcc[0], voiced), feats[0])
    assert torch.equal(front_end.from_mfcc(mfcc[0], voiced.float()), feats[0])  # as vad.scp stores decisions


def test_an_utterance_without_speech_keeps_all_its_frames():
    front_end = FrontEnd(FrontEndConfig(vad=VadConfig(energy_threshold=100.0)))
    feats, num_frames = front_end(bursts(16000).expand(2, -1), torch.tensor([16000, 8000]))
    assert num_frames.tolist() == [100, 50]
    assert not feats[1, 50:].any()


def test_batch_mates_do_not_change_the_features():
    front_end = FrontEnd()
    batch = torch.stack([bursts(32000, seed=1), bursts(32000, seed=2)])
    feats, num_frames = front_end(batch, torch.tensor([32000, 17000]))
    alone, n = front_end(batch[1:, :17000])
    assert num_frames[1] == n
    torch.testing.assert_close(feats[1, : n.item()], alone[0], rtol=0, atol=1e-3)


def test_without_a_window_the_mean_stays():
    with_mean, _ = FrontEnd(FrontEndConfig(cmvn_window=0))(bursts(16000)[None])
    without, _ = FrontEnd()(bursts(16000)[None])
    assert with_mean[0, :, 0].mean() > 10 > without[0, :, 0].abs().mean()


def test_an_utterance_too_short_for_a_frame_is_named():
    with pytest.raises(ValueError, match="row 1: expected at least one frame of 400 samples, got 79"):
        FrontEnd()(torch.zeros(2, 400), torch.tensor([400, 79]))


def test_the_settings_survive_a_round_trip_through_yaml(tmp_path):
    config = FrontEndConfig(mfcc=dataclasses.replace(DEMIXING, num_ceps=13), cmvn_window=200)
    (tmp_path / "front_end.yaml").write_text(dump_config(config))
    assert load_config(FrontEndConfig, tmp_path / "front_end.yaml") == config


def test_without_the_level_features_are_the_same_at_any_gain():
    config = FrontEndConfig(MfccConfig(use_energy=False), cmvn_window=0, subtract_level=True)
    front_end = FrontEnd(dataclasses.replace(config, vad=VadConfig(energy_threshold=-1000, energy_mean_scale=0)))
    speech = torch.from_numpy(np.random.default_rng(0).normal(0, 0.02, (2, 8000)).astype(np.float32))
    lengths = torch.tensor([8000, 5000])
    (loud, _), (soft, frames) = front_end(speech, lengths), front_end(0.25 * speech, lengths)
    torch.testing.assert_close(loud, soft, rtol=1e-3, atol=1e-2)
    assert abs(float(soft[1, : frames[1], 0].mean())) < 1e-3
