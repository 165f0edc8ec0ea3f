"""Waveforms of a data directory, kept in memory as 16-bit samples."""

from __future__ import annotations

from collections import OrderedDict
from os import PathLike

import numpy as np

from zspex_toolkit.io.audio import audio_info
from zspex_toolkit.io.data_dir import DataDir


class Waveforms:
    """Samples of each utterance, read once and kept while there is room.

    Args:
        path: data directory; its audio must all have the rate ``fs``.
        fs: rate in Hz.
        cache_bytes: how much is kept; the least recently used goes first. An hour at 16 kHz takes 115 MB.
    """

    def __init__(self, path: str | PathLike, fs: int, *, cache_bytes: int = 2 << 30):
        self.data = DataDir.load(path)
        self.fs = fs
        self.utterances = self.data.utterances
        self.utt2spk = self.data.utt2spk
        self._cache: OrderedDict[str, np.ndarray] = OrderedDict()
        self._cached_bytes = 0
        self._cache_bytes = cache_bytes

    def utt2num_samples(self) -> dict[str, int]:
        """Length of every utterance: from the table of that name, or from the files' headers."""
        if (self.data.path / "utt2num_samples").exists():
            return {utt: int(count) for utt, count in self.data.table("utt2num_samples").items()}
        if self.data.segments is None:
            return {utt: audio_info(self.data.wavs[utt]).num_samples for utt in self.utterances}
        return {utt: len(self[utt]) for utt in self.utterances}

    def __getitem__(self, utt: str) -> np.ndarray:
        """float32 (T,) in [-1, 1]."""
        quantised = self._cache.get(utt)
        if quantised is None:
            samples, _ = self.data.read_audio(utt, fs=self.fs)
            quantised = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
            self._cache[utt] = quantised
            self._cached_bytes += quantised.nbytes
            while self._cached_bytes > self._cache_bytes and len(self._cache) > 1:
                self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes
        else:
            self._cache.move_to_end(utt)
        return quantised.astype(np.float32) / np.float32(32768.0)
