"""The utterances that mixtures are drawn from, by speaker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.compact_table import Choices, CompactTable, Groups, Numbers, Texts


class Pool:
    """Utterances that may be mixed, by speaker; drawing from it takes constant time, and processes share its memory.

    Args:
        utt2spk: speaker of each utterance.
        utt2num_samples: its length in samples.

    Raises:
        DataDirError: if an utterance has no length.
    """

    def __init__(self, utt2spk: Mapping[str, str], utt2num_samples: Mapping[str, int]):
        utt2spk = dict(utt2spk.items())
        utterances = sorted(utt2spk, key=str.encode)
        for utt in utterances:
            if utt not in utt2num_samples:
                raise DataDirError(f"utterance {utt}: no length in samples (utt2num_samples)")
        self.speakers = Texts(sorted(set(utt2spk.values()), key=str.encode))
        speaker_of = Choices((utt2spk[utt] for utt in utterances), self.speakers)
        self.utterances = Texts(utterances)
        self.utt2spk = CompactTable(self.utterances, speaker_of)
        self.spk2utt = Groups(self.utterances, speaker_of, self.speakers)
        self.num_samples = Numbers(int(utt2num_samples[utt]) for utt in utterances)
        self._position = {spk: position for position, spk in enumerate(self.speakers)}

    def draw_interferers(self, rng: np.random.Generator, target_spk: str, count: int) -> list[str]:
        """``count`` utterances, each a random one of a random speaker; no speaker twice, none of ``target_spk``."""
        if count >= len(self.speakers):
            raise DataDirError(
                f"mixtures of {count + 1} speakers need at least {count + 1} speakers, found {len(self.speakers)}"
            )
        taken = [target_spk]
        utterances = []
        for _ in range(count):
            taken.append(self.draw_other(rng, taken))
            choices = self.spk2utt.selection(taken[-1])
            utterances.append(choices[int(rng.integers(len(choices)))])
        return utterances

    def others_in_random_order(self, rng: np.random.Generator, spk: str, used: Sequence[int]) -> np.ndarray:
        """Positions of the utterances of ``spk`` but those used."""
        others = self.spk2utt.selection(spk).positions
        for position in used:
            others = others[others != position]
        return others[rng.permutation(len(others))]

    def draw_other(self, rng: np.random.Generator, taken: Sequence[str]) -> str:
        """A random speaker who is none of ``taken``.

        Raises:
            DataDirError: if there is none.
        """
        if len(taken) >= len(self.speakers):
            raise DataDirError(f"expected more than {len(taken)} speakers, found {len(self.speakers)}")
        position = int(rng.integers(len(self.speakers) - len(taken)))
        for earlier in sorted(self._position[spk] for spk in taken):  # skip over those taken: uniform over the rest
            position += position >= earlier
        return self.speakers[position]
