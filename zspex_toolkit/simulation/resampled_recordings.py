"""The recordings of a folder at one rate, in bounded memory."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping

import numpy as np

from zspex_toolkit.io.audio import audio_info
from zspex_toolkit.simulation.recordings import Recordings


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
