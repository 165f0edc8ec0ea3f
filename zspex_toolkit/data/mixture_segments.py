"""Mixtures with the one speaker who is known and the other who is asked for: what the de-mixing network learns from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Protocol

import torch
from torch import Tensor

from zspex_toolkit.data.masking import Masking
from zspex_toolkit.data.segments import pad_batch, random_segment
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.compact_table import CompactTable
from zspex_toolkit.randomness import rng_for

GIVEN = ("e1", "e2", "both")


class Mixtures(Protocol):
    """Where mixtures come from: a stored set, or new ones drawn in every epoch."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """What the item is called in messages."""

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
        utt2spk2 = features.data.table("utt2spk2")
        missing = [utt for utt in self.utterances if utt not in utt2spk2]
        if missing:
            raise DataDirError(f"{features.data.path / 'utt2spk2'}: no line for mixture '{missing[0]}'")
        self.utt2spk2 = CompactTable.of_texts(utt2spk2)

    def __len__(self) -> int:
        return len(self.utterances)

    def name(self, index: int) -> str:
        return self.utterances[index]

    def draw(self, epoch: int, index: int) -> tuple[str, Tensor, str, str]:
        """The same mixture in every epoch."""
        utt = self.utterances[index]
        return utt, self.features[utt], self.utt2spk[utt], self.utt2spk2[utt]


class JoinedMixtures:
    """Several sets of mixtures as one."""

    def __init__(self, parts: Sequence[Mixtures]):
        self._parts = list(parts)
        self._ends = list(accumulate(map(len, parts)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def name(self, index: int) -> str:
        part, position = self._place(index)
        return part.name(position)

    def draw(self, epoch: int, index: int) -> tuple[str, Tensor, str, str]:
        """Item ``index`` of the parts in their order."""
        part, position = self._place(index)
        return part.draw(epoch, position)

    def _place(self, index: int) -> tuple[Mixtures, int]:
        number = bisect_right(self._ends, index)
        return self._parts[number], index - (self._ends[number - 1] if number else 0)


class MixtureSegments:
    """A random segment of every mixture, and who of the two is known.

    Args:
        mixtures: where they come from.
        speakers: the speakers with a clean embedding, in the order of their numbers.
        given: "e2": the interferer is known and the target asked for (Table 2); "e1": the reverse (Table 3); "both":
            every segment is learnt in either direction, which makes two rows of a batch.
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

    def name(self, index: int) -> str:
        """The mixture, or its target utterance where mixtures are drawn; for messages."""
        return self._mixtures.name(index)

    def get(self, epoch: int, index: int) -> tuple[str, Tensor, int, int]:
        """Mixture id, features (L, F), numbers of the target and of the interferer."""
        name, feats, target, interferer = self._mixtures.draw(epoch, index)
        for spk in (target, interferer):
            if spk not in self._number:
                raise DataDirError(f"{name}: speaker '{spk}' has no clean embedding; average_embeddings makes them")
        rng = rng_for(self._seed, "mixture segment", epoch, index)
        segment = random_segment(feats, self._segment_frames, rng)
        if self._masking is not None:
            segment = self._masking(segment, rng)
        return name, segment, self._number[target], self._number[interferer]

    def collate(self, items: list[tuple[str, Tensor, int, int]]) -> dict[str, Any]:
        """``feats`` (B, L, F), numbers of the speakers ``asked`` for and ``known`` (B,), ``ids``; ``num_frames`` (B,)
        where lengths differ."""
        ids, feats, targets, interferers = (list(column) for column in zip(*items, strict=True))
        directions = {"e2": [(targets, interferers)], "e1": [(interferers, targets)]}
        pairs = directions.get(self._given) or [*directions["e2"], *directions["e1"]]
        stacked, num_frames = pad_batch(feats)
        batch = {
            "ids": ids * len(pairs),
            "feats": torch.cat([stacked] * len(pairs)),
            "asked": torch.tensor([spk for asked, _ in pairs for spk in asked]),
            "known": torch.tensor([spk for _, known in pairs for spk in known]),
        }
        return batch if num_frames is None else {**batch, "num_frames": torch.cat([num_frames] * len(pairs))}
