"""Waveforms of a data directory, kept in memory as 16-bit samples."""

from __future__ import annotations

from os import PathLike

import numpy as np

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.audio import audio_info, read_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.sized_cache import SizedCache


class Waveforms:
    """Samples of each utterance, read once and kept while there is room.

    Args:
        path: data directory; its audio must all have the rate ``fs``.
        fs: rate in Hz.
        cache_bytes: how much is kept; the least recently used goes first. An hour at 16 kHz takes 115 MB.
    """

    def __init__(self, path: str | PathLike, fs: int, *, cache_bytes: int = 2 << 30):
        self.data = DataDir.load(path).compact()
        self.fs = fs
        self.utterances = self.data.utterances
        self.utt2spk = self.data.utt2spk
        self._cache = SizedCache(self._read, cache_bytes)  # int16
        self._all_fit: bool | None = None

    def utt2num_samples(self) -> dict[str, int]:
        """Length of every utterance: from the table of that name, or from the files' headers."""
        lengths = self._read_lengths()
        self._all_fit = 2 * sum(lengths.values()) <= self._cache.max_bytes  # known before data processes begin
        return lengths

    def _read_lengths(self) -> dict[str, int]:
        if (self.data.path / "utt2num_samples").exists():
            return self.data.counts("utt2num_samples")
        if self.data.segments is None:
            return {utt: audio_info(self.data.wavs[utt]).num_samples for utt in self.utterances}
        return {utt: len(self[utt]) for utt in self.utterances}

    def __getitem__(self, utt: str) -> np.ndarray:
        """float32 (T,) in [-1, 1]."""
        return self._cache[utt].astype(np.float32) / np.float32(32768.0)

    def part(self, utt: str, start: int, stop: int) -> np.ndarray:
        """Samples ``start`` to ``stop`` of an utterance, float32 in [-1, 1].

        Where memory cannot hold the whole directory, just these samples are read from the file and not kept: of large
        data an utterance is rarely asked for twice while it would still be there.

        Raises:
            AudioError: if the utterance is shorter than ``stop``, as after its table of lengths was made.
        """
        if utt in self._cache or self._fits() or not self._is_plain(utt):
            quantised = self._cache[utt]
            if not 0 <= start < stop <= len(quantised):
                raise AudioError(f"{utt}: expected samples {start} to {stop}, found {len(quantised)} samples")
            return quantised[start:stop] * np.float32(1 / 32768)
        samples, _ = read_audio(self.data.wavs[utt], fs=self.fs, start=start, stop=stop)
        return np.clip(np.rint(samples * 32768.0), -32768, 32767) * np.float32(1 / 32768)

    def _fits(self) -> bool:
        if self._all_fit is None:
            self.utt2num_samples()
        return self._all_fit

    def _is_plain(self, utt: str) -> bool:
        """Whether a part of it can be read by itself: not from a pipe, and not through ``segments``."""
        return self.data.segments is None and not self.data.wavs.get(utt, "|").endswith("|")

    def _read(self, utt: str) -> np.ndarray:
        """int16 (T,)."""
        samples, _ = self.data.read_audio(utt, fs=self.fs)
        return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
