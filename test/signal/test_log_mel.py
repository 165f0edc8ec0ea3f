import numpy as np
import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.signal.log_mel import LogMel, LogMelConfig


def noise(num_samples, seed):
    return 0.1 * torch.randn(num_samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("fs", "bins"), [(16000, 80), (8000, 40)])
def test_features_equal_those_of_another_implementation(fs, bins):
    knf = pytest.importorskip("kaldi_native_fbank")
    options = knf.FbankOptions()
    options.frame_opts.samp_freq, options.frame_opts.dither, options.frame_opts.snip_edges = fs, 0, False
    options.mel_opts.num_bins = bins
    waveform = noise(fs, 1)
    other = knf.OnlineFbank(options)
    other.accept_waveform(fs, (waveform * 32768).tolist())
    other.input_finished()
    expected = np.stack([other.get_frame(i) for i in range(other.num_frames_ready)])
    feats, num_frames = LogMel(LogMelConfig(fs=fs, num_mel_bins=bins))(waveform[None])
    assert num_frames.tolist() == [len(expected)]
    np.testing.assert_allclose(feats[0], expected, rtol=0, atol=2e-2)


def test_rows_of_a_batch_are_those_of_one():
    rows = [noise(8000, 1), noise(5000, 2)]
    batch = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    log_mel = LogMel()
    feats, num_frames = log_mel(batch, torch.tensor([8000, 5000]))
    for row, found, count in zip(rows, feats, num_frames, strict=True):
        alone, _ = log_mel(row[None])
        torch.testing.assert_close(found[:count], alone[0])
    assert not feats[1, num_frames[1] :].any()


def test_twice_the_level_adds_the_logarithm_of_four():
    waveform = noise(4000, 3)[None]
    log_mel = LogMel()
    torch.testing.assert_close(log_mel(2 * waveform)[0], log_mel(waveform)[0] + np.log(4), rtol=0, atol=1e-4)


def test_filters_beyond_half_the_rate_are_refused():
    with pytest.raises(ConfigError, match="high_hz"):
        LogMelConfig(fs=8000, high_hz=7600.0)
