"""Sound and spectrograms as data URIs, small enough to stand inside a page."""

from __future__ import annotations

import base64
import io

import numpy as np
import soundfile
from matplotlib import colormaps
from PIL import Image
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

RANGE_DB = 70.0  # of a spectrogram, below its reference
_COLOURS = 32  # steps of the colour map, 2 dB each: few compress well
_WIDTH, _HEIGHT = 400, 128  # largest size of a spectrogram, in pixels
_WINDOW_S, _HOP_S = 0.032, 0.010


def audio_uri(samples: np.ndarray, fs: int, gain: float = 1.0) -> str:
    """A FLAC file of 16 bits, which every browser plays.

    Args:
        samples: (T,) in [-1, 1]; what ``gain`` drives beyond is clipped.
        fs: rate in Hz.
        gain: factor, the same for all that is to be compared by ear.
    """
    stream = io.BytesIO()
    soundfile.write(stream, np.clip(gain * samples, -1.0, 1.0), fs, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def power_db(samples: np.ndarray, fs: int) -> np.ndarray:
    """Power spectrogram, (F, L) in dB, 32 ms Hann windows every 10 ms, from 0 Hz to half the rate.

    A sine of amplitude 1 comes to 0 dB.
    """
    length = round(_WINDOW_S * fs)
    window = hann(length, sym=False)
    transform = ShortTimeFFT(window, round(_HOP_S * fs), fs, scale_to=None)
    padded = np.pad(samples, (0, max(length - len(samples), 0)))
    power = np.abs(transform.stft(padded)) ** 2 * (2 / window.sum()) ** 2
    return 10 * np.log10(np.maximum(power, 1e-12))


def spectrogram_uri(samples: np.ndarray, fs: int, reference_db: float) -> str:
    """A PNG: time from left to right, 0 Hz at the bottom, dark is silence.

    Args:
        samples: (T,).
        fs: rate in Hz.
        reference_db: power of the brightest colour; ``RANGE_DB`` below it is the darkest.
    """
    level = (power_db(samples, fs) - reference_db) / RANGE_DB + 1
    steps = np.round((_COLOURS - 1) * np.clip(level, 0, 1)).astype(np.uint8)[::-1]
    image = Image.fromarray(steps).resize((min(max(steps.shape[1], 2), _WIDTH), _HEIGHT), Image.Resampling.BOX)
    image = Image.frombytes("P", image.size, image.tobytes())
    colours = colormaps["magma"](np.linspace(0, 1, _COLOURS))[:, :3]
    image.putpalette(np.round(255 * colours).astype(np.uint8).tobytes())
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    return png_uri(stream.getvalue())


def png_uri(data: bytes) -> str:
    """The bytes of a PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")
