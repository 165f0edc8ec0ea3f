"""A folder of recordings: noises, or the impulse responses of rooms."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import soundfile

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.audio import audio_info, read_audio
from zspex_toolkit.signal.resample import resample


class Recordings:
    """The audio files of a folder by their names, in the order of the names; other files are passed over.

    Args:
        folder: where they lie.

    Raises:
        ConfigError: if the folder holds no audio or does not exist.
    """

    def __init__(self, folder: os.PathLike | str):
        self.folder = Path(folder)
        suffixes = {f".{name.lower()}" for name in soundfile.available_formats()}
        self.names = sorted(path.name for path in self.folder.glob("*") if path.suffix.lower() in suffixes)
        if not self.names:
            raise ConfigError(f"{folder}: expected a folder with recordings (wav, flac, ...), found none")

    def lengths(self, fs: int) -> dict[str, int]:
        """Length of each recording in samples.

        Raises:
            AudioError: if one is broken.
            ConfigError: if one has another rate than ``fs``.
        """
        found = {name: audio_info(self.folder / name) for name in self.names}
        for name, info in found.items():
            if info.fs != fs:
                raise ConfigError(f"{self.folder / name}: expected {fs} Hz, found {info.fs} Hz; resample it first")
        return {name: info.num_samples for name, info in found.items()}

    def read(self, name: str, fs: int) -> np.ndarray:
        """Samples of one recording, float32 (T,).

        Raises:
            AudioError: if it is missing, broken or of another rate than ``fs``.
        """
        return read_audio(self.folder / name, fs=fs)[0]

    def read_resampled(self, name: str, fs: int) -> np.ndarray:
        """Samples of one recording of any rate at ``fs`` Hz, float32 (T,).

        Raises:
            AudioError: if it is missing or broken.
        """
        samples, fs_in = read_audio(self.folder / name)
        return resample(samples, fs_in, fs)


class ResampledRecordings(Mapping[str, np.ndarray]):
    """Samples, float32 (T,) each, by name: all read at once if they fit into memory, so that processes started later
    share them; otherwise each when it is asked for, and kept until others take its place.

    Args:
        folder: recordings of any rate, one channel each.
        fs: rate of the samples in Hz.
        memory_bytes: how much is kept; twenty hours at 8 kHz take 2.3 GB.

    Attributes:
        num_samples: length of each recording; from its header, and so a sample off at times, if it is not in memory.

    Raises:
        ConfigError: if the folder holds no recording.
        AudioError: if one is broken.
    """

    def __init__(self, folder: os.PathLike | str, fs: int, *, memory_bytes: int = 1 << 29):
        self._recordings, self._fs, self._memory_bytes = Recordings(folder), fs, memory_bytes
        self._kept: OrderedDict[str, np.ndarray] = OrderedDict()
        self._kept_bytes = 0
        found = {name: audio_info(self._recordings.folder / name) for name in self._recordings.names}
        self.num_samples = {name: max(round(info.num_samples * fs / info.fs), 1) for name, info in found.items()}
        if 4 * sum(self.num_samples.values()) <= memory_bytes:
            self.num_samples = {name: len(self[name]) for name in found}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.num_samples:
            raise KeyError(name)
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        samples = self._kept[name] = self._recordings.read_resampled(name, self._fs)
        self._kept_bytes += samples.nbytes
        while self._kept_bytes > self._memory_bytes and len(self._kept) > 1:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        return samples

    def __iter__(self) -> Iterator[str]:
        return iter(self.num_samples)

    def __len__(self) -> int:
        return len(self.num_samples)


def open_recordings(folder: os.PathLike | str | None, fs: int) -> Mapping[str, np.ndarray]:
    """The recordings of a folder at ``fs`` Hz by name; none if there is no folder."""
    return {} if folder is None else ResampledRecordings(folder, fs)


def lengths_of(recordings: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Length in samples of each of :func:`open_recordings`."""
    return dict(recordings.num_samples) if recordings else {}
