"""A folder of recordings at one rate, in bounded memory: noises, or the impulse responses of rooms."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import soundfile

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.audio import audio_info, read_audio
from zspex_toolkit.io.sized_cache import SizedCache
from zspex_toolkit.signal.resample import resample


class Recordings(Mapping[str, np.ndarray]):
    """Samples, float32 (T,) each, by the names of the audio files, in their order; other files are passed over.

    All are read at once if they fit into memory, so that processes started later share them; otherwise each when it is
    asked for, and kept until others take its place.

    Args:
        folder: recordings of any rate, one channel each; None: no recordings.
        fs: rate of the samples in Hz.
        memory_bytes: how much is kept; twenty hours at 8 kHz take 2.3 GB.

    Attributes:
        num_samples: length of each recording; from its header, and so a sample off at times, if it is not in memory.

    Raises:
        ConfigError: if the folder holds no audio or does not exist.
        AudioError: if a recording is broken.
    """

    def __init__(self, folder: os.PathLike | str | None, fs: int, *, memory_bytes: int = 1 << 29):
        self._folder, self._fs = Path(folder or "."), fs
        self._samples = SizedCache(self._read, memory_bytes)
        found = {} if folder is None else {name: audio_info(self._folder / name) for name in _audio_files(self._folder)}
        self.num_samples = {name: max(round(info.num_samples * fs / info.fs), 1) for name, info in found.items()}
        if 4 * sum(self.num_samples.values()) <= memory_bytes:
            self.num_samples = {name: len(self[name]) for name in found}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.num_samples:
            raise KeyError(name)
        return self._samples[name]

    def path(self, name: str) -> Path:
        """The file of a recording."""
        return self._folder / name

    def _read(self, name: str) -> np.ndarray:
        return resample(*read_audio(self._folder / name), self._fs)

    def __iter__(self) -> Iterator[str]:
        return iter(self.num_samples)

    def __len__(self) -> int:
        return len(self.num_samples)


def _audio_files(folder: Path) -> list[str]:
    suffixes = {f".{name.lower()}" for name in soundfile.available_formats()}
    names = sorted(path.name for path in folder.glob("*") if path.suffix.lower() in suffixes)
    if not names:
        raise ConfigError(f"{folder}: expected a folder with recordings (wav, flac, ...), found none")
    return names
