"""Change of the sampling rate, by soxr (very high quality, linear phase)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr


def resample(samples: np.ndarray, fs_in: int, fs_out: int) -> np.ndarray:
    """Signal (T,) at ``fs_in`` Hz to ``fs_out`` Hz, float32; the same samples if the rates are equal.

    >>> resample(np.zeros(441), 44100, 16000).shape
    (160,)
    """
    _check_rates(fs_in, fs_out)
    samples = np.asarray(samples, dtype=np.float32)
    if fs_in == fs_out or not len(samples):
        return samples
    return soxr.resample(samples, fs_in, fs_out, quality="VHQ")


def resample_blocks(blocks: Iterable[np.ndarray], fs_in: int, fs_out: int, num_samples: int) -> Iterator[np.ndarray]:
    """A signal that arrives in blocks (n, C), at another rate, in blocks of other sizes; in constant memory.

    Args:
        blocks: float32, at ``fs_in`` Hz.
        fs_in, fs_out: rates in Hz.
        num_samples: of the whole result, per channel: what is over is cut, what lacks is 0.
    """
    _check_rates(fs_in, fs_out)
    left, num_channels = num_samples, 1
    for block in blocks if fs_in == fs_out else _streamed(blocks, fs_in, fs_out):
        num_channels = block.shape[1]
        if left and len(block):
            yield block[:left]
            left -= len(block[:left])
    if left:
        yield np.zeros((left, num_channels), np.float32)


def _streamed(blocks: Iterable[np.ndarray], fs_in: int, fs_out: int) -> Iterator[np.ndarray]:
    stream: soxr.ResampleStream | None = None
    for block in blocks:
        stream = stream or soxr.ResampleStream(fs_in, fs_out, block.shape[1], quality="VHQ")
        yield _chunk(stream, block, last=False)
    if stream is not None:
        yield _chunk(stream, block[:0], last=True)


def _chunk(stream: soxr.ResampleStream, block: np.ndarray, *, last: bool) -> np.ndarray:
    """(n, C); soxr gives and takes mono as (n,)."""
    num_channels = block.shape[1]
    block = np.ascontiguousarray(block, np.float32)
    return stream.resample_chunk(block[:, 0] if num_channels == 1 else block, last=last).reshape(-1, num_channels)


def _check_rates(fs_in: int, fs_out: int) -> None:
    for name, rate in (("fs_in", fs_in), ("fs_out", fs_out)):
        if rate <= 0:
            raise ValueError(f"{name}: expected a positive rate in Hz, got {rate}")


def resampled_length(num_samples: int, fs_in: int, fs_out: int) -> int:
    """Samples at ``fs_out`` that cover ``num_samples`` at ``fs_in``.

    >>> resampled_length(11, 44100, 8000)
    2
    """
    return -(-num_samples * fs_out // fs_in)
