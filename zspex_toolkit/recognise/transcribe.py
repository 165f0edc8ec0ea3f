"""Words of recordings of any length and rate, of one speaker alone if an enrollment is given."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from zspex_toolkit.errors import AudioError, ConfigError, UserError
from zspex_toolkit.io.audio import opened_audio, read_samples
from zspex_toolkit.recognise.recogniser import DecodeConfig, Recogniser, Word
from zspex_toolkit.signal.resample import resample


@dataclass(frozen=True)
class Config:
    """Settings of transcribe."""

    model: Path  # folder of a trained recogniser
    audio: Path | None = None  # a recording
    enrollment: tuple[Path, ...] = ()  # recordings of one speaker, who is then extracted first
    list: Path | None = None  # many at once: lines of a recording and, behind tabs, enrollments of its speaker
    times: bool = False  # a line for each word: recording, start in s, length in s, word
    extractor: str | None = None  # a trained extractor's folder, or a name that zspex models lists; unset: the default
    piece_seconds: float = 20.0  # a longer recording is cut at its quietest places into pieces of at most this length
    decode: DecodeConfig = field(default_factory=DecodeConfig)  # how words are searched
    device: str = "auto"  # auto, cpu or cuda:N


def transcribe(config: Config, out: TextIO | None = None) -> None:
    """Write the words of each recording to ``out``: a line each, with its path in front if there is a list.

    Raises:
        ConfigError: if there is not either a recording or a list.
        UserError: for a list, model or recording that is missing or broken.
    """
    out = out or sys.stdout
    if (config.audio is None) == (config.list is None):
        raise ConfigError("audio, list: expected one of the two: --audio recording.wav, or --list jobs.tsv")
    if config.enrollment and config.list:
        raise ConfigError("enrollment: expected the enrollments of --list in its lines, behind tabs")
    if not config.piece_seconds > 0:
        raise ConfigError(f"piece_seconds: expected a number above 0, got {config.piece_seconds}")
    jobs = _read_list(config.list) if config.list else [(config.audio, config.enrollment)]
    recogniser = Recogniser(config.model, decode=config.decode, device=config.device)
    extractor = None
    if any(enrollments for _, enrollments in jobs):
        from zspex_toolkit.extract.extractor import Extractor

        extractor = Extractor.load(config.extractor, device=config.device)
    for path, enrollments in jobs:
        samples, fs = _mono(path)
        if enrollments:
            recordings = [_at_rate(one, fs) for one in enrollments]
            samples = extractor.extract(samples, recordings, fs)
        words = recognise_recording(recogniser, resample(samples, fs, recogniser.fs), config.piece_seconds)
        for line in _lines(path, words, config):
            print(line, file=out, flush=True)


def recognise_recording(recogniser: Recogniser, samples: np.ndarray, piece_s: float) -> list[Word]:
    """Words of (T,) samples at the recogniser's rate, with their times; piece by piece if it is long."""
    words: list[Word] = []
    for start, stop in cut_at_quiet(samples, int(piece_s * recogniser.fs), recogniser.fs // 50):
        offset = start / recogniser.fs
        words += [
            Word(word, start_s + offset, end_s + offset)
            for word, start_s, end_s in recogniser.words(samples[start:stop])
        ]
    return words


def cut_at_quiet(samples: np.ndarray, longest: int, frame: int) -> Iterator[tuple[int, int]]:
    """Begin and end of pieces of at most ``longest`` samples, cut where it is quietest in their second halves.

    Args:
        samples: (T,).
        longest: of a piece, in samples.
        frame: samples over which the level is measured.

    >>> speech = np.ones(100); speech[62:66] = 0
    >>> list(cut_at_quiet(speech, 80, 2))
    [(0, 63), (63, 100)]
    """
    start = 0
    while len(samples) - start > longest:
        first = start + longest // 2
        frames = samples[first : start + longest]
        usable = len(frames) // frame * frame
        if usable:
            energy = np.square(frames[:usable]).reshape(-1, frame).sum(axis=1)
            stop = first + int(energy.argmin()) * frame + frame // 2
        else:
            stop = start + longest
        yield start, stop
        start = stop
    yield start, len(samples)


def _lines(path: Path, words: list[Word], config: Config) -> list[str]:
    if config.times:
        return [f"{path}\t{word.start_s:.2f}\t{word.end_s - word.start_s:.2f}\t{word.word}" for word in words]
    text = " ".join(word.word for word in words)
    return [f"{path}\t{text}" if config.list else text]


def _read_list(path: Path) -> list[tuple[Path, tuple[Path, ...]]]:
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected lines of a recording and, behind tabs, enrollments")
    jobs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        recording, *enrollments = line.split("\t")
        if not all((recording, *enrollments)):
            raise UserError(f"{path}:{number}: expected a recording and, behind tabs, enrollments, got {line!r}")
        jobs.append((Path(recording), tuple(Path(one) for one in enrollments)))
    if not jobs:
        raise UserError(f"{path}: expected a recording in each line, found no lines")
    return jobs


def _mono(path: Path) -> tuple[np.ndarray, int]:
    """(T,) samples, of several channels their mean, and the rate in Hz."""
    with opened_audio(path, whole=True) as sound:
        samples, fs = read_samples(sound, sound.frames), sound.samplerate
    samples = samples.mean(axis=1) if samples.ndim == 2 else samples
    if not len(samples):
        raise AudioError(f"{path}: holds no samples")
    if not np.isfinite(samples).all():
        raise AudioError(f"{path}: holds NaN or infinity")
    return samples, fs


def _at_rate(path: Path, fs: int) -> np.ndarray:
    samples, own = _mono(path)
    return resample(samples, own, fs)
