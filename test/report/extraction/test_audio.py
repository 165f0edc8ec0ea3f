"""Sound and pictures inside a page."""

import base64
import io

import numpy as np
import pytest
import soundfile
from PIL import Image

from zspex_toolkit.report.extraction.audio import audio_uri, png_uri, power_db, spectrogram_uri

FS = 8000
TIME = np.arange(FS, dtype=np.float32) / FS


def decoded(uri, kind):
    head, _, text = uri.partition(",")
    assert head == f"data:{kind};base64"
    return io.BytesIO(base64.b64decode(text))


def test_the_recording_survives_to_a_16_bit_step_at_the_gain_asked_for():
    samples = 0.25 * np.sin(2 * np.pi * 440 * TIME)
    found, fs = soundfile.read(decoded(audio_uri(samples, FS, 2.0), "audio/flac"))
    assert (fs, len(found)) == (FS, FS)
    np.testing.assert_allclose(found, 2 * samples, atol=1 / 32768)


def test_what_the_gain_drives_too_far_is_clipped_not_wrapped():
    found, _ = soundfile.read(decoded(audio_uri(np.array([0.9, -0.9]), FS, 2.0), "audio/flac"))
    np.testing.assert_allclose(found, [1.0, -1.0], atol=1 / 16384)


def test_a_sine_of_amplitude_1_comes_to_0_db_in_its_bin():
    power = power_db(np.sin(2 * np.pi * 1000 * TIME), FS)
    middle = power[:, power.shape[1] // 2]
    assert middle.argmax() == 32  # 1000 Hz of 31.25 Hz a bin
    assert middle.max() == pytest.approx(0.0, abs=1e-3)
    assert power_db(np.zeros(FS), FS).max() == pytest.approx(-120.0)


def test_time_runs_to_the_right_and_frequency_upwards():
    samples = np.where(TIME < 0.5, np.sin(2 * np.pi * 3000 * TIME), 0.0)
    image = np.asarray(Image.open(decoded(spectrogram_uri(samples, FS, 0.0), "image/png")).convert("RGB")).sum(2)
    height, width = image.shape
    assert height == 128 and width == pytest.approx(100, abs=5)  # 10 ms a column
    row, column = np.unravel_index(image[:, : width // 3].argmax(), (height, width // 3))
    assert row == pytest.approx(height / 4, abs=3)  # 3000 of 4000 Hz, counted from above
    assert image[:, 2 * width // 3 :].max() < image[row, column] / 4


def test_a_recording_shorter_than_a_window_has_a_spectrogram():
    image = Image.open(decoded(spectrogram_uri(np.ones(5), FS, 0.0), "image/png"))
    assert min(image.size) > 1


def test_a_long_recording_has_no_larger_picture():
    image = Image.open(decoded(spectrogram_uri(np.ones(20 * FS), FS, 0.0), "image/png"))
    assert image.size == (400, 128)


def test_a_png_is_embedded_as_it_is():
    assert decoded(png_uri(b"\x89PNG"), "image/png").read() == b"\x89PNG"
