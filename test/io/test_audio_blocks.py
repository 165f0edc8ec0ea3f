"""Recordings of any length and number of channels, block by block: what is read is what is there."""

import numpy as np
import pytest
import soundfile

from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.io import audio_blocks
from zspex_toolkit.io.audio import AudioInfo, audio_info, read_audio
from zspex_toolkit.io.audio_blocks import read_blocks, scan_audio, write_blocks


@pytest.fixture
def stereo(tmp_path, noise):
    samples = np.stack([noise(1000), noise(1000, 1)], axis=1)
    soundfile.write(tmp_path / "s.wav", np.round(samples * 32768).astype(np.int16), 16000)
    return tmp_path / "s.wav", samples


def test_all_channels_are_read_in_blocks(stereo, monkeypatch):
    path, samples = stereo
    monkeypatch.setattr(audio_blocks, "BLOCK", 300)
    blocks = list(read_blocks(path))
    assert [len(block) for block in blocks] == [300, 300, 300, 100]
    assert np.array_equal(np.concatenate(blocks), samples)


def test_a_scan_tells_offset_power_and_peak(tmp_path, monkeypatch):
    monkeypatch.setattr(audio_blocks, "BLOCK", 3)
    left, right = [0.5, 0.25, 0.5, 0.25], [0.0, -0.5, 0.0, 0.5]
    soundfile.write(tmp_path / "a.wav", np.array([left, right]).T, 8000, subtype="FLOAT")
    scan = scan_audio(tmp_path / "a.wav")
    assert (scan.info, scan.mean.tolist(), scan.peak, scan.num_clipped) == (AudioInfo(4, 8000, 2), [0.375, 0], 0.5, 0)
    assert scan.power == pytest.approx((0.125**2 + 0.125) / 2)


def test_samples_at_full_scale_are_counted(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([32767, -32768, 32766, 0], np.int16), 8000)
    assert scan_audio(tmp_path / "a.wav").num_clipped == 2


@pytest.mark.parametrize(
    ("subtype", "step"), [("PCM_U8", 2**-7), ("PCM_24", 2**-23), ("FLOAT", 1e-7), ("DOUBLE", 1e-7)]
)
def test_eight_and_24_bits_and_floats_are_read(tmp_path, noise, subtype, step):
    soundfile.write(tmp_path / "a.wav", noise(500), 8000, subtype=subtype)
    np.testing.assert_allclose(np.concatenate(list(read_blocks(tmp_path / "a.wav")))[:, 0], noise(500), atol=step)


@pytest.mark.parametrize("function", [scan_audio, lambda path: list(read_blocks(path))])
def test_what_is_no_number_is_refused_with_its_place(tmp_path, monkeypatch, function):
    monkeypatch.setattr(audio_blocks, "BLOCK", 4)
    samples = np.zeros((10, 2))
    samples[7, 1] = np.nan
    soundfile.write(tmp_path / "n.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"n\.wav: holds NaN or infinity, first at sample 7"):
        function(tmp_path / "n.wav")


def test_a_recording_without_samples_is_refused(tmp_path):
    soundfile.write(tmp_path / "e.wav", np.zeros((0, 2)), 8000)
    with pytest.raises(AudioError, match=r"e\.wav: holds no samples"):
        scan_audio(tmp_path / "e.wav")


@pytest.mark.parametrize(("name", "sample_format", "step"), [("o.wav", "int16", 2**-16), ("o.flac", "int24", 2**-24)])
def test_what_is_written_is_read_back_to_half_a_step(tmp_path, noise, name, sample_format, step):
    exact = noise(700) * 0.7
    write_blocks(tmp_path / name, [exact[:300, None], exact[300:, None]], AudioInfo(700, 44100, 1), sample_format)
    samples, fs = read_audio(tmp_path / name)
    assert fs == 44100 and np.abs(samples - exact).max() <= step * 1.001


def test_sixteen_bits_come_back_as_they_were(stereo, tmp_path):
    path, samples = stereo
    write_blocks(tmp_path / "o.wav", read_blocks(path), audio_info(path))
    assert np.array_equal(np.concatenate(list(read_blocks(tmp_path / "o.wav"))), samples)


def test_floats_are_written_as_they_are(tmp_path):
    exact = np.random.default_rng(0).uniform(-1, 1, (50, 1)).astype(np.float32)
    write_blocks(tmp_path / "o.wav", [exact], AudioInfo(50, 8000, 1), "float32")
    assert np.array_equal(read_audio(tmp_path / "o.wav")[0], exact[:, 0])


def test_a_file_too_long_for_wav_has_a_longer_header(tmp_path, monkeypatch):
    monkeypatch.setattr(audio_blocks, "_WAV_BYTES", 4 * 100)
    write_blocks(tmp_path / "o.wav", [np.full((100, 1), 0.5, np.float32)], AudioInfo(100, 8000, 1))
    assert soundfile.info(tmp_path / "o.wav").format == "RF64"
    assert read_audio(tmp_path / "o.wav")[0].tolist() == [0.5] * 100


def test_samples_out_of_range_lose_nothing_that_was_there(tmp_path):
    (tmp_path / "o.wav").write_bytes(b"earlier")
    with pytest.raises(AudioError, match=r"o\.wav: expected samples in \[-1, 1\], got a peak of 1\.5"):
        write_blocks(tmp_path / "o.wav", [np.zeros((5, 1)), np.full((5, 1), 1.5)], AudioInfo(10, 8000, 1))
    assert (tmp_path / "o.wav").read_bytes() == b"earlier" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "sample_format", "message"),
    [
        ("o.wav", "int8", "sample_format: expected one of int16, int24, float32, got 'int8'"),
        ("o.mp3", "int16", r"o\.mp3: expected a name that ends in \.wav or \.flac"),
        ("o.flac", "float32", r"o\.flac: FLAC holds no floating point"),
    ],
)
def test_a_format_that_cannot_be_is_refused(tmp_path, name, sample_format, message):
    with pytest.raises(ConfigError, match=message):
        write_blocks(tmp_path / name, [], AudioInfo(0, 8000, 1), sample_format)
