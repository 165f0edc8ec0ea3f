"""Utterances with their transcripts, in batches of like duration: what a speech recogniser is trained on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.perturb import change_speed, num_samples_at_speed

_ALIKE = 1.15  # longest over shortest utterance of a bucket

Item = list[tuple[str, np.ndarray, list[int]]]  # a whole batch: utterance, (T,) samples, token numbers


@dataclass(frozen=True)
class Bucket:
    """Utterances of like duration, and how many of them make a batch."""

    utterances: tuple[str, ...]
    batch_size: int

    @property
    def num_batches(self) -> int:
        """The last batch may be smaller."""
        return -(-len(self.utterances) // self.batch_size)


def buckets_by_duration(num_samples: Mapping[str, int], max_samples: int) -> list[Bucket]:
    """Buckets from the longest utterances to the shortest; no batch has more than ``max_samples``, padding included.

    An utterance that is longer than that is a batch of its own.

    Args:
        num_samples: length of each utterance.
        max_samples: of a batch.

    >>> [(b.utterances, b.batch_size) for b in buckets_by_duration({"a": 40, "b": 100, "c": 98, "d": 96}, 250)]
    [(('b', 'c', 'd'), 2), (('a',), 6)]
    """
    order = sorted(num_samples, key=lambda utt: (-num_samples[utt], utt))
    buckets, first = [], 0
    while first < len(order):
        longest = num_samples[order[first]]
        last = first
        while last < len(order) and num_samples[order[last]] * _ALIKE >= longest:
            last += 1
        buckets.append(Bucket(tuple(order[first:last]), max(1, max_samples // max(longest, 1))))
        first = last
    return buckets


class TranscribedBatches:
    """Batches of utterances; an item of this set is a whole batch, so that the training's batch size is 1.

    Every epoch has the same number of batches; which utterances of a bucket share one, and their speeds, are drawn
    anew. Epochs of a validation (``shuffle`` false) are all alike.

    Args:
        waveforms: the utterances' audio.
        num_samples: length of each utterance to use.
        tokens: token numbers of each utterance.
        max_seconds: of a batch, padding included.
        speeds: each utterance is played at one of these, drawn in each epoch.
        shuffle: whether batches are drawn anew in each epoch.
        seed: items follow from it, the epoch and the index alone.

    Raises:
        ConfigError: for a speed or size that is not above 0.
    """

    def __init__(
        self,
        waveforms: Waveforms,
        num_samples: Mapping[str, int],
        tokens: Mapping[str, list[int]],
        *,
        max_seconds: float,
        speeds: Sequence[float] = (1.0,),
        shuffle: bool = True,
        seed: int = 0,
    ):
        check_batches(max_seconds, speeds)
        self.fs = waveforms.fs
        self._waveforms, self._tokens = waveforms, tokens
        self._speeds, self._shuffle, self._seed = tuple(speeds), shuffle, seed
        slowest = min(self._speeds)
        longest = {utt: num_samples_at_speed(number, slowest) for utt, number in num_samples.items()}
        self._buckets = buckets_by_duration(longest, int(max_seconds * waveforms.fs))
        self._place = [(place, n) for place, bucket in enumerate(self._buckets) for n in range(bucket.num_batches)]
        self._longest = longest
        self._order: tuple[tuple[int, int], list[str]] | None = None  # of the bucket that was asked for last

    def __len__(self) -> int:
        return len(self._place)

    def get(self, epoch: int, index: int) -> Item:
        """The utterances of a batch."""
        bucket, number = self._place[index]
        size = self._buckets[bucket].batch_size
        chosen = self._shuffled(epoch, bucket)[number * size : (number + 1) * size]
        return [(utt, self._played(epoch, utt), self._tokens[utt]) for utt in chosen]

    def size(self, index: int) -> int:
        """Samples of a batch at most, padding included."""
        bucket = self._buckets[self._place[index][0]]
        return self._longest[bucket.utterances[0]] * min(bucket.batch_size, len(bucket.utterances))

    def name(self, index: int) -> str:
        """A batch's bucket, for messages."""
        bucket, number = self._place[index]
        return f"batch {number + 1} of utterances as long as {self._buckets[bucket].utterances[0]}"

    @staticmethod
    def collate(items: list[Item]) -> dict[str, Any]:
        """``waveforms`` (B, T), ``num_samples`` (B,), ``tokens`` (B, N), ``num_tokens`` (B,), ``ids``."""
        ids, samples, tokens = zip(*(row for item in items for row in item), strict=True)
        pad = torch.nn.utils.rnn.pad_sequence
        return {
            "ids": list(ids),
            "waveforms": pad([torch.from_numpy(row) for row in samples], batch_first=True),
            "num_samples": torch.tensor([len(row) for row in samples]),
            "tokens": pad([torch.tensor(row, dtype=torch.long) for row in tokens], batch_first=True),
            "num_tokens": torch.tensor([len(row) for row in tokens]),
        }

    def _shuffled(self, epoch: int, bucket: int) -> Sequence[str]:
        utterances = self._buckets[bucket].utterances
        if not self._shuffle:
            return utterances
        if self._order is None or self._order[0] != (epoch, bucket):
            order = rng_for(self._seed, "bucket", epoch, bucket).permutation(len(utterances))
            self._order = (epoch, bucket), [utterances[place] for place in order]
        return self._order[1]

    def _played(self, epoch: int, utt: str) -> np.ndarray:
        samples = self._waveforms[utt]
        if self._speeds == (1.0,):
            return samples
        return change_speed(samples, float(rng_for(self._seed, "speed", epoch, utt).choice(self._speeds)))


def check_batches(max_seconds: float, speeds: Sequence[float]) -> None:
    """Refuse sizes and speeds that are not above 0.

    Raises:
        ConfigError: naming the setting.
    """
    if not max_seconds > 0:
        raise ConfigError(f"batch_seconds: expected a number above 0, got {max_seconds}")
    if not speeds or min(speeds) <= 0:
        raise ConfigError(f"speeds: expected factors above 0, got {list(speeds)}")


def fitting(
    num_samples: Mapping[str, int],
    tokens: Mapping[str, list[int]],
    num_frames: Callable[[int], int],
    *,
    fastest: float = 1.0,
) -> dict[str, int]:
    """Of ``num_samples`` the utterances that are long enough for their tokens, even if played ``fastest``.

    CTC needs a frame for each token, and one more between two equal ones.

    Args:
        num_samples: length of each utterance.
        tokens: token numbers of each utterance.
        num_frames: of a recogniser's output for so many samples.
        fastest: largest speed.
    """
    return {
        utt: number
        for utt, number in num_samples.items()
        if num_frames(num_samples_at_speed(number, fastest)) >= frames_needed(tokens[utt])
    }


def frames_needed(tokens: Sequence[int]) -> int:
    """Fewest frames in which CTC can write the tokens.

    >>> frames_needed([5, 5, 7])
    4
    """
    return len(tokens) + sum(a == b for a, b in itertools.pairwise(tokens))
