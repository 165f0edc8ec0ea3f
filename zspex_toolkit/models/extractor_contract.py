"""What every network of ``models/extractors`` offers, and what it gives in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from zspex_toolkit.errors import AudioError
from zspex_toolkit.models.clue import Clue


class ExtractorOutput(NamedTuple):
    """Estimates of the targets, and which training speakers the clues sound like."""

    estimates: Tensor  # (R, S, T): the target's waveform in S ways, the first of which is the network's output
    speaker_scores: Tensor | None  # (R, K): of the training speakers, before the softmax; None if it has none
    blind: Tensor | None = None  # (M, Q, T): speakers of each mixture, asked for or not, in any order; training only


class ExtractorNetwork(Protocol):
    """A target speaker extractor.

    M mixtures are asked about R = Q M clues, and row r asks of mixture r % M. What does not depend on the clue is to be
    computed once a mixture.

    Attributes:
        num_estimates: S.
        num_speakers: K training speakers that it scores; None if it scores none.
        clue_dim: D of the embeddings that it takes as clues, such as x-vectors; 0 if it makes clues of recordings.
        min_enrollment_samples: shortest recording that it makes a clue of.
        context_samples: samples before (and, unless causal, behind) an output sample that are to be there for it to be
            what it is in the middle of a signal; neighbouring chunks of a long recording overlap by so much.
        latency_samples: samples of the mixture behind an output sample that a causal network waits for; None if it
            needs the whole mixture. A causal network also has ``stream(clue)``: chunks of mixtures (M, T') in, chunks
            (R, T'') out by ``push`` and ``finish``, all together what ``extract`` gives.
    """

    num_estimates: int
    num_speakers: int | None
    clue_dim: int
    min_enrollment_samples: int
    context_samples: int
    latency_samples: int | None

    def clue(self, enrollment: Tensor, lengths: Tensor | None = None) -> Clue:
        """Recordings (R, U), of which the first ``lengths`` (R,) samples count, to clues of R rows.

        Raises:
            AudioError: for a recording under ``min_enrollment_samples``.
            UserError: if its clues come from elsewhere.
        """

    def join(self, clues: Sequence[Clue], weights: Sequence[float] | None = None) -> Clue:
        """Clues of several recordings of the same speakers to one clue for each.

        Args:
            clues: B rows each.
            weights: how much each counts; None for equal ones. A network may have no use for them.
        """

    def __call__(self, mixture: Tensor, clue: Clue) -> ExtractorOutput:
        """Mixtures (M, T), T >= 1, and R clues to all estimates and the scores of the clues."""

    def extract(self, mixture: Tensor, clue: Clue) -> Tensor:
        """Mixtures (M, T) and R clues to the first estimate alone, (R, T)."""

    def classify(self, clue: Clue) -> Tensor | None:
        """Scores (R, K) of the training speakers, before the softmax; None if it has none."""

    def likeness(self, estimate: Tensor, clue: Clue) -> Tensor:
        """How much speech (R, T) sounds like the speakers of the clues, (R,): -1 to 1, NaN where it cannot tell."""


def true_enrollment(enrollment: Tensor, lengths: Tensor | None, least: int) -> tuple[Tensor, Tensor | None]:
    """Recordings (R, U) with silence behind their true lengths (R,), and these on the same device.

    Refuses recordings of fewer than ``least`` samples, and lengths over U.

    Raises:
        AudioError: telling the shortest; lengths on a GPU are not looked at.
    """
    shortest = enrollment.shape[1]
    if lengths is not None and lengths.device.type == "cpu":  # to look on a GPU would make the CPU wait for it
        if int(lengths.max()) > shortest:
            raise AudioError(
                f"enrollment: expected lengths up to the {shortest} samples that it has, found {int(lengths.max())}"
            )
        shortest = min(shortest, int(lengths.min()))
    if shortest < least:
        raise AudioError(f"enrollment: expected at least {least} samples, found {shortest}; record more")
    if lengths is None:
        return enrollment, None
    lengths = lengths.to(enrollment.device)
    samples = torch.arange(enrollment.shape[1], device=enrollment.device)
    return enrollment.masked_fill(samples >= lengths[:, None], 0.0), lengths


def made_up_clue(network: ExtractorNetwork, recordings: Tensor) -> Clue:
    """Clues of recordings (R, U), whatever they sound like; random ones where clues come from elsewhere."""
    if network.clue_dim:
        return Clue(torch.randn(len(recordings), network.clue_dim, device=recordings.device))
    return network.clue(recordings)
