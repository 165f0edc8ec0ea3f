"""A folder of recordings: noises, or the impulse responses of rooms."""

from __future__ import annotations

import os
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
