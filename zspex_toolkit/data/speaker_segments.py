"""Random segments of speech, labelled with their speakers: what the embedder is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from zspex_toolkit.data.masking import Masking
from zspex_toolkit.data.segments import pad_batch, random_segment
from zspex_toolkit.randomness import rng_for


class UtteranceFeatures(Protocol):
    """Where features come from: :class:`StoredFeatures`, or waveforms that are augmented on the fly."""

    utterances: Sequence[str]
    utt2spk: Mapping[str, str]

    def draw(self, utt: str, rng) -> tuple[Tensor, str]:
        """Features (L, F) of one utterance, and the speaker they now sound like."""


class SpeakerSegments:
    """A random segment of every utterance, new in each epoch.

    Args:
        features: where the utterances' features come from.
        speakers: the classes, in the order of their numbers.
        segment_frames: frames of a segment; 0 for whole utterances.
        segments_per_utterance: segments of each utterance in one epoch.
        masking: masks each segment; none if None.
        seed: an item follows from it, the epoch and the index alone.
    """

    def __init__(
        self,
        features: UtteranceFeatures,
        speakers: Sequence[str],
        *,
        segment_frames: int,
        segments_per_utterance: int = 1,
        masking: Masking | None = None,
        seed: int = 0,
    ):
        self._features = features
        self._number = {spk: number for number, spk in enumerate(speakers)}
        self._segment_frames = segment_frames
        self._masking = masking
        self._seed = seed
        self._segments_per_utterance = segments_per_utterance

    def __len__(self) -> int:
        return len(self._features.utterances) * self._segments_per_utterance

    def get(self, epoch: int, index: int) -> tuple[str, Tensor, int]:
        """Utterance id, features (segment_frames, F) and number of the speaker."""
        utt = self.name(index)
        rng = rng_for(self._seed, "segment", epoch, index)
        feats, spk = self._features.draw(utt, rng)
        segment = random_segment(feats, self._segment_frames, rng)
        return utt, segment if self._masking is None else self._masking(segment, rng), self._number[spk]

    def name(self, index: int) -> str:
        """The utterance of an item, for messages."""
        return self._features.utterances[index // self._segments_per_utterance]

    @staticmethod
    def collate(items: list[tuple[str, Tensor, int]]) -> dict[str, Any]:
        """``feats`` (B, L, F), ``speaker`` (B,), ``ids``; ``num_frames`` (B,) where lengths differ."""
        ids, feats, speakers = zip(*items, strict=True)
        stacked, num_frames = pad_batch(list(feats))
        batch = {"ids": list(ids), "feats": stacked, "speaker": torch.tensor(speakers)}
        return batch if num_frames is None else {**batch, "num_frames": num_frames}
