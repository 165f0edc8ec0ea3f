"""Audio of any length and number of channels, read and written block by block in constant memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import soundfile

from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.audio import AudioInfo, opened_audio, quantised, read_samples

BLOCK = 1 << 16  # samples per channel
_FULL_SCALE = 1 - 2**-15  # the largest sample of 16 bits
_WAV_BYTES = 1 << 32  # what WAV's own header can count
SAMPLE_FORMATS = {"int16": "PCM_16", "int24": "PCM_24", "float32": "FLOAT"}


@dataclass(frozen=True)
class AudioScan:
    """What one pass over a recording tells.

    Attributes:
        info: length, rate and channels.
        mean: (C,) mean of each channel, its DC offset.
        power: mean square over all channels, without the offset.
        peak: largest absolute value.
        num_clipped: samples at or above full scale, of all channels.
    """

    info: AudioInfo
    mean: np.ndarray
    power: float
    peak: float
    num_clipped: int


def scan_audio(source: str | os.PathLike) -> AudioScan:
    """Read a recording from end to end, as every check and level needs.

    Args:
        source: as :func:`zspex_toolkit.io.audio.read_audio` takes; of any number of channels.

    Raises:
        AudioError: if it is missing, broken, cut off, empty, or holds NaN or infinity.
    """
    total, squares, peak, clipped, count = 0.0, 0.0, 0.0, 0, 0
    with opened_audio(source, whole=True) as sound:
        info = AudioInfo(sound.frames, sound.samplerate, sound.channels)
        for block in _blocks_of(source, sound):
            total = total + block.sum(axis=0, dtype=np.float64)
            squares = squares + np.einsum("tc,tc->c", block, block, dtype=np.float64)
            size = np.abs(block)
            peak = max(peak, float(size.max()))
            clipped += int((size >= _FULL_SCALE).sum())
            count += len(block)
    mean = total / count
    return AudioScan(info, mean, float(np.mean(np.maximum(squares / count - mean**2, 0))), peak, clipped)


def read_blocks(source: str | os.PathLike) -> Iterator[np.ndarray]:
    """The samples of a recording as float32 blocks (n, C) in [-1, 1].

    Raises:
        AudioError: as :func:`scan_audio`.
    """
    with opened_audio(source, whole=True) as sound:
        yield from _blocks_of(source, sound)


def write_blocks(
    path: str | os.PathLike, blocks: Iterable[np.ndarray], info: AudioInfo, sample_format: str = "int16"
) -> None:
    """Write blocks (n, C) in [-1, 1] in the format of the suffix (``.wav``, ``.flac``), atomically.

    Args:
        path: file to write.
        blocks: the signal; whole numbers are rounded to the nearest, +1 to the largest of them.
        info: length, rate and channels of the whole signal.
        sample_format: int16, int24 or, for ``.wav`` alone, float32.

    Raises:
        ConfigError: for another format or suffix.
        AudioError: for samples out of range or a full disk; what was at ``path`` before is still there.
    """
    subtype = check_output(path, sample_format)
    is_wav = os.fspath(path).lower().endswith(".wav")
    container = "RF64" if is_wav and 4 * info.num_samples * info.num_channels >= _WAV_BYTES else None
    with atomic_path(path) as temporary:
        try:
            with soundfile.SoundFile(temporary, "w", info.fs, info.num_channels, subtype, format=container) as sound:
                for block in blocks:
                    sound.write(quantised(path, block, subtype))
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{path}: cannot be written ({error.error_string}); is the disk full?") from error


def check_output(path: str | os.PathLike, sample_format: str) -> str:
    """libsndfile's name of the sample format, which has to fit the suffix of ``path``.

    Raises:
        ConfigError: if it does not.
    """
    suffix = os.path.splitext(path)[1].lower()
    if sample_format not in SAMPLE_FORMATS:
        raise ConfigError(f"sample_format: expected one of {', '.join(SAMPLE_FORMATS)}, got '{sample_format}'")
    if suffix not in (".wav", ".flac"):
        raise ConfigError(f"{path}: expected a name that ends in .wav or .flac, to know the format by")
    if suffix == ".flac" and sample_format == "float32":
        raise ConfigError(f"{path}: FLAC holds no floating point; choose int16 or int24, or a .wav file")
    return SAMPLE_FORMATS[sample_format]


def _blocks_of(source: str | os.PathLike, sound: soundfile.SoundFile) -> Iterator[np.ndarray]:
    if not sound.frames:
        raise AudioError(f"{source}: holds no samples")
    done = 0
    while done < sound.frames:
        block = read_samples(sound, min(BLOCK, sound.frames - done))
        if not len(block):
            raise AudioError(f"{source}: broken after {done} of {sound.frames} samples")
        block = block.reshape(len(block), -1)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            raise AudioError(f"{source}: holds NaN or infinity, first at sample {done + int(np.argmin(finite))}")
        yield block
        done += len(block)
