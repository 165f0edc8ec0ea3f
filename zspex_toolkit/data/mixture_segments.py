"""Mixtures with the one speaker who is known and the other who is asked for: what the de-mixing network learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from zspex_toolkit.data.masking import Masking
from zspex_toolkit.data.segments import pad_batch, random_segment
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.table import read_table
from zspex_toolkit.randomness import rng_for

GIVEN = ("e1", "e2", "both")


class Mixtures(Protocol):
    """Where mixtures come from: a stored set, or new ones drawn in every epoch."""

    def __len__(self) -> int: ...

    def draw(self, epoch: int, index: int) -> tuple[str, Tensor, str, str]:
        """Id, features (L, F), speaker of the target and of the interferer."""


class StoredMixtures:
    """The mixtures of a data directory, with ``feats.scp``, ``vad.scp``, ``utt2spk`` and ``utt2spk2``.

    Raises:
        DataDirError: if a mixture has no second speaker.
    """

    def __init__(self, features: StoredFeatures):
        self.features = features
        self.utterances = features.utterances
        self.utt2spk = features.utt2spk
        self.utt2spk2 = read_table(features.data.path / "utt2spk2")
        missing = [utt for utt in self.utterances if utt not in self.utt2spk2]
        if missing:
            raise DataDirError(f"{features.data.path / 'utt2spk2'}: no line for mixture '{missing[0]}'")

    def __len__(self) -> int:
        return len(self.utterances)

    def draw(self, epoch: int, index: int) -> tuple[str, Tensor, str, str]:
        """The same mixture in every epoch."""
        utt = self.utterances[index]
        return utt, self.features[utt], self.utt2spk[utt], self.utt2spk2[utt]


class MixtureSegments:
    """A random segment of every mixture, and who of the two is known.

    Args:
        mixtures: where they come from.
        speakers: the speakers with a clean embedding, in the order of their numbers.
        given: "e2": the interferer is known and the target asked for (Table 2); "e1": the reverse (Table 3); "both":
            drawn anew for each item.
        segment_frames: frames of a segment; 0 for whole mixtures.
        masking: masks each segment; none if None.
        seed: an item follows from it, the epoch and the index alone.

    Raises:
        ConfigError: for another ``given``.
    """

    def __init__(
        self,
        mixtures: Mixtures,
        speakers: Sequence[str],
        *,
        given: str,
        segment_frames: int,
        masking: Masking | None = None,
        seed: int = 0,
    ):
        if given not in GIVEN:
            raise ConfigError(f"given: expected one of {', '.join(GIVEN)}, got '{given}'")
        self._mixtures = mixtures
        self._number = {spk: number for number, spk in enumerate(speakers)}
        self._given = given
        self._segment_frames = segment_frames
        self._masking = masking
        self._seed = seed

    def __len__(self) -> int:
        return len(self._mixtures)

    def get(self, epoch: int, index: int) -> tuple[str, Tensor, int, int]:
        """Mixture id, features (L, F), number of the speaker asked for and of the known one."""
        name, feats, target, interferer = self._mixtures.draw(epoch, index)
        rng = rng_for(self._seed, "mixture segment", epoch, index)
        target_is_known = self._given == "e1" or (self._given == "both" and rng.random() < 0.5)
        asked, known = (interferer, target) if target_is_known else (target, interferer)
        for spk in (asked, known):
            if spk not in self._number:
                raise DataDirError(f"{name}: speaker '{spk}' has no clean embedding; average_embeddings makes them")
        segment = random_segment(feats, self._segment_frames, rng)
        if self._masking is not None:
            segment = self._masking(segment, rng)
        return name, segment, self._number[asked], self._number[known]

    @staticmethod
    def collate(items: list[tuple[str, Tensor, int, int]]) -> dict[str, Any]:
        """``feats`` (B, L, F), ``asked`` and ``known`` (B,), ``ids``; ``num_frames`` (B,) where lengths differ."""
        ids, feats, asked, known = zip(*items, strict=True)
        stacked, num_frames = pad_batch(list(feats))
        batch = {"ids": list(ids), "feats": stacked, "asked": torch.tensor(asked), "known": torch.tensor(known)}
        return batch if num_frames is None else {**batch, "num_frames": num_frames}
