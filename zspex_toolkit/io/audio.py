"""Audio from files, archives, tars and shell pipes, mono float32 in [-1, 1]; of more channels: audio_blocks."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import soundfile

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.audio_decode import CountedFlac, check_supported, decoded, must_be_decoded
from zspex_toolkit.io.audio_entry import is_shortened_sphere, open_source
from zspex_toolkit.io.audio_extent import length_fault
from zspex_toolkit.io.librimix import ON_THE_FLY, on_the_fly_info, on_the_fly_wav


@dataclass(frozen=True)
class AudioInfo:
    """What a header says, without decoding: length in samples (per channel), rate in Hz, number of channels."""

    num_samples: int
    fs: int
    num_channels: int


def read_audio(
    source: str | os.PathLike, *, fs: int | None = None, start: int = 0, stop: int | None = None
) -> tuple[np.ndarray, int]:
    """Samples of one recording, or of a part of it.

    Args:
        source: path of a WAV, FLAC or NIST SPHERE file, such a file's place in an archive (``path.ark:offset``,
            ``path.tar:offset``), a shell command that ends in ``|``, or ``path.mixtures.jsonl:offset:signal`` for
            LibriMix on the fly.
        fs: the rate that the caller needs, in Hz; any if None.
        start: first sample.
        stop: one past the last sample; the end of the recording if None.

    Returns:
        float32 (T,) in [-1, 1] and the rate in Hz.

    Raises:
        AudioError: for audio that is missing, broken, empty, shorter than ``stop``, of several channels, of another
            rate than ``fs``, or that holds NaN or infinity.
    """
    with opened_audio(source, whole=start == 0 and stop is None) as sound:
        _check_format(source, sound, fs)
        stop = sound.frames if stop is None else stop
        if not 0 <= start < stop <= sound.frames:
            raise AudioError(f"{source}: expected samples {start} to {stop}, found {sound.frames} samples")
        if start:
            sound.seek(start)
        samples = read_samples(sound, stop - start)
        if len(samples) != stop - start:
            raise AudioError(f"{source}: broken after {start + len(samples)} of {sound.frames} samples")
        if sound.subtype in ("FLOAT", "DOUBLE") and not (finite := np.isfinite(samples)).all():
            raise AudioError(f"{source}: holds NaN or infinity, first at sample {start + int(np.argmin(finite))}")
        return samples, sound.samplerate


def audio_info(source: str | os.PathLike) -> AudioInfo:
    """Length, rate and channels of ``source`` (as in :func:`read_audio`); a pipe is run for it.

    Raises:
        AudioError: if the audio is missing or broken.
    """
    if ON_THE_FLY.fullmatch(text := os.fspath(source).strip()):
        return AudioInfo(*on_the_fly_info(text), num_channels=1)
    with opened_audio(source) as sound:
        return AudioInfo(sound.frames, sound.samplerate, sound.channels)


def write_audio(path: str | os.PathLike, samples: np.ndarray, fs: int) -> None:
    """Write 16-bit audio in the format of the suffix (``.wav``, ``.flac``), atomically.

    Args:
        path: file to write.
        samples: (T,) in [-1, 1]; a sample is rounded to the nearest multiple of 1/32768, and +1 to 32767/32768.
        fs: rate in Hz.

    Raises:
        AudioError: for samples out of range, not finite, none at all, or of another shape, or on a full disk; nothing
            is written.
    """
    samples = np.asarray(samples)
    if samples.ndim != 1 or not len(samples):
        raise AudioError(f"{path}: expected samples of shape (T,), got {samples.shape}")
    pcm = quantised(path, samples, "PCM_16")
    with atomic_path(path) as temporary:
        try:
            soundfile.write(temporary, pcm, fs, subtype="PCM_16")
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{path}: cannot be written ({error.error_string}); is the disk full?") from error


@contextmanager
def opened_audio(source: str | os.PathLike, *, whole: bool = False) -> Iterator[soundfile.SoundFile]:
    """The recording open for reading; one that was cut off, or is no audio that is supported, is an AudioError.

    Args:
        source: as :func:`read_audio` takes.
        whole: it is read from front to end, without a seek; the end of FLAC is compared with its header then.
    """
    text = os.fspath(source).strip()
    if text.endswith("|"):
        stream = io.BytesIO(_run_pipe(text[:-1].strip()))
    elif ON_THE_FLY.fullmatch(text):
        stream = io.BytesIO(on_the_fly_wav(text))
    else:
        stream = open_source(text)
    with stream:
        if fault := length_fault(stream):
            raise AudioError(f"{source}: {fault}")
        try:
            with _sound_of(stream, source, whole) as sound:
                yield sound
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{source}: {_unreadable(stream, error)}") from error


def _sound_of(stream: io.BufferedIOBase, source: str | os.PathLike, whole: bool) -> soundfile.SoundFile:
    """The audio of a stream, whose ``frames`` is its length indeed."""
    stream.seek(0)
    sound = soundfile.SoundFile(stream)
    try:
        check_supported(sound)
        if must_be_decoded(sound):
            sound.close()
            return decoded(stream)
    except BaseException as error:
        sound.close()
        if isinstance(error, AudioError):
            raise AudioError(f"{source}: {error}") from error
        raise
    if whole and sound.format == "FLAC":
        sound.close()
        return CountedFlac(stream, sound.frames, source)
    return sound


def _unreadable(stream: io.BufferedIOBase, error: soundfile.LibsndfileError) -> str:
    stream.seek(0)
    if is_shortened_sphere(stream):
        return "NIST SPHERE packed by 'shorten'; read it through a pipe: sph2pipe -f wav -p -c 1 FILE |"
    return f"not readable as audio: {error.error_string or 'its data is broken'}"


def _run_pipe(command: str) -> bytes:
    """Standard output of a shell command, run as Kaldi runs it; status other than 0 or no output is an error."""
    done = subprocess.run(command, shell=True, capture_output=True, check=False)
    last_words = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if done.returncode:
        raise AudioError(f"{command} |: ended with status {done.returncode}: {last_words or 'no message'}")
    if not done.stdout:
        raise AudioError(f"{command} |: gave no audio: {last_words or 'no message'}")
    return done.stdout


def _check_format(source: str | os.PathLike, sound: soundfile.SoundFile, fs: int | None) -> None:
    if sound.channels != 1:
        raise AudioError(
            f"{source}: expected one channel, found {sound.channels}; choose one, as `sox ... remix 1 |` does"
        )
    if fs is not None and sound.samplerate != fs:
        raise AudioError(f"{source}: expected {fs} Hz, found {sound.samplerate} Hz; resample it first")
    if not sound.frames:
        raise AudioError(f"{source}: holds no samples")


def read_samples(sound: soundfile.SoundFile, num_samples: int) -> np.ndarray:
    """The next samples, float32: (T,) of one channel, (T, C) of several."""
    if sound.subtype == "PCM_16":  # libsndfile's own conversion takes twice as long, for the same values
        return sound.read(num_samples, dtype="int16") * np.float32(1 / 32768)
    return sound.read(num_samples, dtype="float32")


def quantised(path: str | os.PathLike, samples: np.ndarray, subtype: str) -> np.ndarray:
    """Samples in [-1, 1] as libsndfile has to be given them for this subtype: whole numbers are rounded."""
    peak = np.abs(samples).max(initial=0)
    if not peak <= 1:  # also true for NaN
        raise AudioError(f"{path}: expected samples in [-1, 1], got a peak of {peak}; scale them down first")
    if subtype == "FLOAT":
        return samples.astype(np.float32)
    # Not left to libsndfile: it writes times 32767 but reads over 32768, so a copy would not equal its original.
    if subtype == "PCM_16":
        return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    steps = np.clip(np.rint(samples * 8388608.0), -8388608, 8388607).astype(np.int32)
    return steps << 8  # libsndfile takes the upper 24 of 32 bits
