"""One speaker's voice out of sound that is still being recorded."""

from __future__ import annotations

import copy

import numpy as np
import soxr
import torch

from zspex_toolkit.errors import AudioError, ConfigError, UserError
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.models.clue import Clue


class VoiceStream:
    """Blocks of a mixture in, blocks of the speaker's voice out, as soon as they are known.

    Blocks may have any sizes; together the output is as long as the input and, at the network's rate, what the network
    gives for all of it at once. What is kept in between does not grow. Streams of one extractor do not disturb each
    other. The level is the network's own: what it is in the whole recording is not known yet.

    Args:
        extractor: with a causal network.
        clue: of the speaker, one row.
        fs: rate of mixture and output in Hz; the network's if None. Another rate than the network's is converted on
            the way in and out, which adds to :attr:`longest_wait_s`.

    Raises:
        UserError: if the network is not causal.
        ConfigError: for a clue of several speakers, or a rate that is not positive.
    """

    def __init__(self, extractor: Extractor, clue: Clue, fs: int | None = None):
        if getattr(extractor.network, "latency_samples", None) is None:
            raise UserError(
                "this model needs the whole recording: expected one that was trained with causal: true "
                "(egs/many_voices/tse1/conf/causal.yaml); zspex extract takes any"
            )
        if len(clue) != 1:
            raise ConfigError(f"clue: expected that of one speaker, got {len(clue)}")
        self.fs = extractor.fs if fs is None else fs
        if self.fs <= 0:
            raise ConfigError(f"fs: expected a positive rate in Hz, got {self.fs}")
        self._extractor, self._clue = extractor, clue.to(extractor.device)
        self.reset()

    @property
    def latency_s(self) -> float:
        """Seconds of the mixture behind an output sample that the network itself waits for, at most."""
        return self._extractor.network.latency_samples / self._extractor.fs

    @property
    def seconds(self) -> float:
        """Of the mixture so far."""
        return self._num_in / self.fs

    @property
    def longest_wait_s(self) -> float:
        """Most sound so far that was in and not yet out, in seconds, without the block that was just given."""
        return self._longest_wait / self.fs

    def reset(self) -> None:
        """Begin anew, with another mixture for the same speaker."""
        fs = self._extractor.fs
        self._stream = self._extractor.network.stream(self._clue)
        self._before = self._behind = None
        if self.fs != fs:
            self._before = soxr.ResampleStream(self.fs, fs, 1, quality="HQ")
            self._behind = soxr.ResampleStream(fs, self.fs, 1, quality="HQ")
        self._num_in = self._num_out = self._longest_wait = 0
        self._is_finished = False

    def copy(self) -> VoiceStream:
        """A second stream that goes on from here, and shares the network alone with this one.

        Raises:
            UserError: at another rate than the network's: the state of the resampler cannot be copied.
        """
        if self._before is not None:
            raise UserError(
                f"a stream at {self.fs} Hz cannot be copied: expected the network's {self._extractor.fs} Hz"
            )
        other = copy.copy(self)
        shared = {id(module): module for module in self._extractor.network.modules()}
        with torch.inference_mode():
            other._stream = copy.deepcopy(self._stream, shared)
        return other

    def push(self, samples: np.ndarray) -> np.ndarray:
        """The next samples of the mixture to what is ready of the voice.

        Args:
            samples: (T,) or (T, C) in [-1, 1], T >= 0; of several channels the mean is taken.

        Returns:
            float32 (T',), T' >= 0.

        Raises:
            AudioError: for another shape, NaN or infinity; the stream goes on with the next block.
            UserError: after :meth:`finish`.
        """
        if self._is_finished:
            raise UserError("this stream has been finished; reset() begins another")
        self._longest_wait = max(self._longest_wait, self._num_in - self._num_out)
        mono = _mono(samples)
        self._num_in += len(mono)
        if self._before is not None:
            mono = self._before.resample_chunk(mono)
        return self._out(self._extract(mono), last=False)

    def finish(self) -> np.ndarray:
        """What is missing, float32 (T',), so that as many samples are out as went in."""
        if self._is_finished:
            return np.zeros(0, np.float32)
        self._is_finished = True
        self._longest_wait = max(self._longest_wait, self._num_in - self._num_out)
        rest = [np.zeros(0, np.float32)]
        if self._before is not None:
            rest.append(self._extract(self._before.resample_chunk(rest[0], last=True)))
        if self._num_in:
            with torch.inference_mode():
                rest.append(self._stream.finish()[0].float().cpu().numpy())
        samples = self._out(np.concatenate(rest), last=True)
        missing = max(0, self._num_in - self._num_out)
        self._num_out += missing
        return np.concatenate([samples, np.zeros(missing, np.float32)])

    def _extract(self, mono: np.ndarray) -> np.ndarray:
        if not len(mono):
            return mono
        with torch.inference_mode():
            chunk = torch.from_numpy(mono)[None].to(self._extractor.device)
            return self._stream.push(chunk)[0].float().cpu().numpy()

    def _out(self, samples: np.ndarray, *, last: bool) -> np.ndarray:
        if self._behind is not None:
            samples = self._behind.resample_chunk(np.ascontiguousarray(samples), last=last)
        samples = samples[: self._num_in - self._num_out]  # a resampler's last block may go on
        self._num_out += len(samples)
        return samples


def _mono(samples: np.ndarray) -> np.ndarray:
    """(T,) float32, the mean of all channels."""
    samples = np.asarray(samples, np.float32)
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and not samples.shape[1]):
        raise AudioError(f"mixture: expected samples of shape (T,) or (T, C), got {samples.shape}")
    if not np.isfinite(samples).all():
        raise AudioError("mixture: holds NaN or infinity")
    return np.ascontiguousarray(samples if samples.ndim == 1 else samples.mean(1, dtype=np.float32))
