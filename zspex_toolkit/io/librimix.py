"""LibriMix's mixtures with the very samples of its own procedure, to be stored or computed anew at every reading.

The procedure: float32 at 16 kHz, times gain, polyphase resampling, cut to the shortest (``min``) or zeros to the
longest (``max``), sum; 16 bits as soundfile writes floats, by truncation, for mixture and sources each by itself.

Reference: Cosentino et al., "LibriMix: an open-source dataset for generalizable speech separation", arXiv 2005.11262,
and its script ``create_librimix_from_metadata.py``.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soundfile

from zspex_toolkit.errors import AudioError, ConfigError

SOURCE_FS = 16000  # of LibriSpeech and WHAM
MODES = ("min", "max")
# Where audio is named, `FILE.mixtures.jsonl:BYTE:SIGNAL` is one signal of the mixture whose line begins at that byte.
ON_THE_FLY = re.compile(r"(?P<file>.+\.mixtures\.jsonl):(?P<start>\d+):(?P<signal>mix|s1|s2|noise)")


@dataclass(frozen=True)
class LibriMixture:
    """One line of LibriMix's metadata with the files found, and how it is to be rendered."""

    id: str
    sources: tuple[str, ...]  # recordings at 16 kHz
    gains: tuple[float, ...]
    fs: int  # rate of the mixture, Hz
    mode: str  # min or max
    noise: str | None = None  # recording at 16 kHz, its first channel counts; None for mix_clean
    noise_gain: float | None = None

    def __post_init__(self):
        if self.mode not in MODES:
            raise ConfigError(f"mode: expected one of {', '.join(MODES)}, got '{self.mode}'")
        if not 0 < self.fs <= SOURCE_FS:
            raise ConfigError(f"fs: expected a rate from 1 to {SOURCE_FS} Hz, got {self.fs}")


def to_line(mixture: LibriMixture) -> str:
    """The mixture as one line of JSON, without line end."""
    return json.dumps(dataclasses.asdict(mixture), ensure_ascii=False)


def from_line(line: str) -> LibriMixture:
    """What :func:`to_line` wrote.

    Raises:
        ValueError: for anything else.
    """
    try:
        fields = json.loads(line)
        lists = {name: tuple(fields[name]) for name in ("sources", "gains")}
        return LibriMixture(**{**fields, **lists})
    except (TypeError, KeyError) as error:
        raise ValueError(f"expected the JSON of a mixture, got {line[:60]!r}") from error


def resampled_length(num_samples: int, fs: int) -> int:
    """Number of samples that ``num_samples`` at 16 kHz become at ``fs``."""
    return -(-num_samples * fs // SOURCE_FS)


def mix(mixture: LibriMixture) -> dict[str, np.ndarray]:
    """The signals of a mixture before they get 16 bits: ``mix``, ``s1``, ``s2``, and ``noise`` if there is one.

    Returns:
        (T,) each, in the arithmetic of the original: float32, but float64 for noise that had to be prolonged.

    Raises:
        AudioError: for audio that is missing, broken or not at 16 kHz.
    """
    from scipy.signal import resample_poly  # here, since loading it would slow down every command that reads audio

    signals = [_read(path) for path in mixture.sources]
    gains = list(mixture.gains)
    if mixture.noise is not None:
        longest = max(len(signal) for signal in signals)
        noise = _read(mixture.noise, stop=longest)
        signals.append(noise if len(noise) == longest else _prolong(noise, longest, mixture.noise))
        gains.append(mixture.noise_gain)
    scaled = [signal * gain for signal, gain in zip(signals, gains, strict=True)]
    fitted = _fit([resample_poly(signal, mixture.fs, SOURCE_FS) for signal in scaled], mixture.mode)
    total = np.zeros_like(fitted[0])
    for signal in fitted:
        total += signal
    names = ["s1", "s2"] + ["noise"] * (mixture.noise is not None)
    return {"mix": total, **dict(zip(names, fitted, strict=True))}


def write_wav(path: os.PathLike | io.BytesIO, samples: np.ndarray, fs: int) -> None:
    """Write a WAV file of 16 bits as LibriMix does: floats are truncated to multiples of 1/32768, not rounded."""
    soundfile.write(path, samples, fs, format="WAV", subtype="PCM_16")


def on_the_fly_wav(source: str) -> bytes:
    """The bytes of the WAV file that ``FILE.mixtures.jsonl:BYTE:SIGNAL`` stands for.

    Raises:
        AudioError: if there is no such file or line, or audio of the mixture cannot be read.
    """
    return _wavs(_line_of(source))[ON_THE_FLY.fullmatch(source)["signal"]]


def on_the_fly_info(source: str) -> tuple[int, int]:
    """Number of samples of that file, and its rate in Hz, from the headers of its sources: nothing is mixed.

    Raises:
        AudioError: as :func:`on_the_fly_wav`.
    """
    mixture = from_line(_line_of(source))
    length = {"min": min, "max": max}[mixture.mode](_num_samples(path) for path in mixture.sources)
    return resampled_length(length, mixture.fs), mixture.fs


def _line_of(source: str) -> str:
    """The line that ``source`` names; it holds a mixture with the signal asked for."""
    name = ON_THE_FLY.fullmatch(source)
    try:
        with open(name["file"], "rb") as stream:
            stream.seek(int(name["start"]))
            line = stream.readline().decode("utf-8")
        mixture = from_line(line)
    except OSError as error:
        raise AudioError(f"{source}: {(error.strerror or 'not readable').lower()}") from error
    except ValueError as error:
        raise AudioError(f"{source}: {error}; is the position right?") from error
    if name["signal"] == "noise" and mixture.noise is None:
        raise AudioError(f"{source}: the mixture has no noise, only mix, s1, s2")
    return line


@lru_cache(maxsize=4)  # mixture, target and interferer are read one after the other
def _wavs(line: str) -> dict[str, bytes]:
    mixture = from_line(line)
    wavs = {}
    for name, samples in mix(mixture).items():
        stream = io.BytesIO()
        write_wav(stream, samples, mixture.fs)
        wavs[name] = stream.getvalue()
    return wavs


def _read(path: str, stop: int | None = None) -> np.ndarray:
    """First channel of a recording at 16 kHz, float32 (T,)."""
    try:
        samples, fs = soundfile.read(path, dtype="float32", stop=stop, always_2d=True)
    except soundfile.LibsndfileError as error:
        reason = "no such file" if not os.path.exists(path) else f"not readable as audio: {error.error_string}"
        raise AudioError(f"{path}: {reason}") from error
    if fs != SOURCE_FS:
        raise AudioError(f"{path}: expected {SOURCE_FS} Hz, found {fs} Hz")
    return samples[:, 0]


def _num_samples(path: str) -> int:
    try:
        return soundfile.info(path).frames
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path}: no such file, or not readable as audio") from error


def _prolong(noise: np.ndarray, num_samples: int, path: str) -> np.ndarray:
    """Noise repeated, half a second of each copy faded into the next, float64 (num_samples,)."""
    window = np.hanning(SOURCE_FS + 1)
    rise, fall = window[: len(window) // 2 + 1], window[len(window) // 2 :: -1]
    if len(noise) <= len(rise):
        raise AudioError(f"{path}: expected noise of more than {len(rise)} samples to prolong, found {len(noise)}")
    longer = noise
    while len(longer) < num_samples:
        seam = longer[-len(fall) :] * fall + noise[: len(rise)] * rise
        longer = np.concatenate([longer[: -len(fall)], seam, noise[len(rise) :]])
    return longer[:num_samples]


def _fit(signals: list[np.ndarray], mode: str) -> list[np.ndarray]:
    if mode == "min":
        shortest = min(len(signal) for signal in signals)
        return [signal[:shortest] for signal in signals]
    longest = max(len(signal) for signal in signals)
    return [np.pad(signal, (0, longest - len(signal))) for signal in signals]
