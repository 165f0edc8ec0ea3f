"""Segments of recordings: those that can only be read whole, such as pipes, are read once for many segments."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.audio import opened_audio, read_audio
from zspex_toolkit.io.audio_decode import Decoded

_KEPT_BYTES = 1 << 28  # of recordings beside the one in hand: 2.3 hours at 8 kHz, in single precision
_OVERSHOOT_S = 0.5  # that a segment may end past its recording, as Kaldi's extract-segments allows


class WholeRecordings:
    """Reads segments, and keeps the recordings that had to be read whole for it as long as there is room.

    Of all others, such as WAV and FLAC files, no more is read than the segment. A pickled one is empty.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[np.ndarray, int]] = OrderedDict()

    def __reduce__(self) -> tuple:
        return WholeRecordings, ()

    def read_segment(self, source: str, start_s: float, end_s: float, fs: int | None) -> tuple[np.ndarray, int]:
        """Samples (T,) in [-1, 1] of a segment, and their rate in Hz; an end of -1 is that of the recording.

        Raises:
            AudioError: as :func:`zspex_toolkit.io.audio.read_audio`, or if the segment lies outside the recording.
        """
        found = self._kept.get(source)
        if found is None and not source.endswith("|"):
            with opened_audio(source) as sound:
                is_whole, num_samples, rate = isinstance(sound, Decoded), sound.frames, sound.samplerate
            if not is_whole:
                start, stop = sample_range(start_s, end_s, rate, num_samples, source)
                return read_audio(source, fs=fs, start=start, stop=stop)
        samples, rate = self._whole(source)
        if fs is not None and rate != fs:
            raise AudioError(f"{source}: expected {fs} Hz, found {rate} Hz; resample it first")
        start, stop = sample_range(start_s, end_s, rate, len(samples), source)
        return samples[start:stop].copy(), rate

    def _whole(self, source: str) -> tuple[np.ndarray, int]:
        if source not in self._kept:
            self._kept[source] = read_audio(source)
            while len(self._kept) > 1 and sum(samples.nbytes for samples, _ in self._kept.values()) > _KEPT_BYTES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(source)
        return self._kept[source]


def sample_range(start_s: float, end_s: float, fs: int, num_samples: int, source: str) -> tuple[int, int]:
    """First sample of a segment and the one past its last; an end up to 0.5 s past the recording is cut, as in Kaldi.

    Raises:
        AudioError: if it lies outside the recording, or holds no sample.
    """
    start = round(start_s * fs)
    stop = num_samples if end_s == -1 else round(end_s * fs)
    if stop > num_samples + _OVERSHOOT_S * fs or start >= num_samples:
        raise AudioError(
            f"{source}: segment {start_s:g} s to {end_s:g} s lies outside the recording of {num_samples / fs:.3f} s"
        )
    stop = min(stop, num_samples)
    if not 0 <= start < stop:
        raise AudioError(f"{source}: segment {start_s:g} s to {end_s:g} s holds no sample at {fs} Hz")
    return start, stop
