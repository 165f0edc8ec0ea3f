"""Speech codecs: what a signal sounds like after it was coded at a low bit rate and decoded again."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr

from zspex_toolkit.errors import ConfigError

BLOCK = 1 << 14  # samples handed over at once; libsndfile's Vorbis encoder fails on very long ones


@dataclass(frozen=True)
class Codec:
    """What libsndfile has to be told.

    Attributes:
        format, subtype: of the file that is coded into.
        rates: that it codes, in Hz, ascending; none: any.
        compression: libsndfile's compression level, from 0 to 1, at the highest and at the lowest bit rate that is
            worth drawing; None: it has but one.
    """

    format: str
    subtype: str
    rates: tuple[int, ...] = ()
    compression: tuple[float, float] | None = None


_MPEG_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
CODECS = {
    "mu_law": Codec("WAV", "ULAW", (8000,)),  # 64 kbit/s, the telephone's
    "gsm": Codec("WAV", "GSM610", (8000,)),  # 13 kbit/s, the first mobile telephones'
    "adpcm": Codec("WAV", "IMA_ADPCM"),  # 4 bits a sample
    "vorbis": Codec("OGG", "VORBIS", compression=(0.6, 1.0)),  # 48 to 34 kbit/s at 16 kHz
    "mp3": Codec("MP3", "MPEG_LAYER_III", _MPEG_RATES, (0.7, 0.95)),  # 31 to 24 kbit/s at 16 kHz
    "opus": Codec("OGG", "OPUS", (8000, 12000, 16000, 24000, 48000), (0.9, 0.98)),  # 33 to 13 kbit/s at 16 kHz
}


def transcode(samples: np.ndarray, fs: int, codec: str, compression: float | None = None) -> np.ndarray:
    """Samples (T,) coded and decoded: float32 (T,), in time with what went in.

    A codec that does not know the rate codes at the next higher one that it knows, or at its highest. The same
    libsndfile on the same kind of machine gives the same samples.

    Args:
        samples: in [-1, 1].
        fs: rate in Hz.
        codec: a name in ``CODECS``.
        compression: libsndfile's compression level, for codecs that have several.

    Raises:
        ConfigError: for a codec that is unknown, or that the libsndfile installed cannot write.
    """
    if codec not in CODECS:
        raise ConfigError(f"codec: expected one of {', '.join(CODECS)}, got {codec!r}")
    how = CODECS[codec]
    rate = next((rate for rate in how.rates if rate >= fs), how.rates[-1]) if how.rates else fs
    samples = np.asarray(samples, dtype=np.float32)
    stream, options = io.BytesIO(), {} if compression is None else {"compression_level": compression}
    try:
        with soundfile.SoundFile(stream, "w", rate, 1, how.subtype, format=how.format, **options) as encoder:
            coded = _resample(samples, fs, rate)
            for start in range(0, len(coded), BLOCK):
                encoder.write(coded[start : start + BLOCK])
    except (ValueError, soundfile.LibsndfileError) as fault:
        raise ConfigError(
            f"codec {codec}: libsndfile {soundfile.__libsndfile_version__} cannot code it ({fault}); "
            "expected 1.1 or later, as it comes with soundfile"
        ) from fault
    stream.seek(0)
    decoded, _ = soundfile.read(stream, dtype="float32")
    decoded = _resample(decoded, rate, fs)[: len(samples)]  # codecs of blocks return whole blocks
    return np.pad(decoded, (0, len(samples) - len(decoded)))


def _resample(samples: np.ndarray, fs: int, rate: int) -> np.ndarray:
    return samples if fs == rate else soxr.resample(samples, fs, rate, quality="HQ")
