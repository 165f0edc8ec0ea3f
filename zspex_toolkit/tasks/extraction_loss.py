"""What an extractor is trained for: the waveform at three scales, the speaker, and silence where that one is absent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zspex_toolkit.data.trial_rows import NO_SPEAKER
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.signal.si_sdr import si_sdr


@dataclass(frozen=True)
class LossConfig:
    """-(0.8, 0.1, 0.1) SI-SDR of the short, middle and long scale + 0.5 cross entropy of the speaker, as SpEx+."""

    scales: tuple[float, ...] = (0.8, 0.1, 0.1)  # weights of the scales' waveforms, short to long
    speaker: float = 0.5  # weight of the cross entropy of the enrolled speaker
    max_si_sdr_db: float = 0.0  # SI-SDR saturates here: better waveforms gain nothing; 0: no limit
    absent: float = 1.0  # weight of the output's level, in dB, where the enrolled speaker is absent
    absent_floor_db: float = -30.0  # output over mixture where that level saturates: quieter gains nothing

    def __post_init__(self) -> None:
        weights = (*self.scales, self.speaker, self.absent)
        if not self.scales or not all(0 <= weight < math.inf for weight in weights):
            raise ConfigError(f"loss: expected weights of 0 or more, got {list(weights)}")
        if not 0 <= self.max_si_sdr_db < math.inf or not -math.inf < self.absent_floor_db < 0:
            raise ConfigError(
                "loss: expected max_si_sdr_db of 0 or more and absent_floor_db below 0, "
                f"got {self.max_si_sdr_db} and {self.absent_floor_db}"
            )


class ExtractionLoss:
    """The loss of a batch of rows (see :mod:`zspex_toolkit.data.trial_rows`), finite for silence too.

    Statistics: ``si_sdr`` of the short scale, over rows whose target is there, and ``si_sdri`` (its gain over the
    mixture), over those with an interferer too; ``speaker_accuracy``, over rows of training speakers; ``energy_left``
    (output over mixture, dB), over rows whose target is absent. One without rows is not a number.
    """

    def __init__(self, config: LossConfig):
        self._config = config

    def __call__(self, network: nn.Module, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its statistics."""
        if batch.get("speaker_only"):
            return self._of_speakers(network, batch)
        estimates, scores = network(batch["mixture"], clue_of(network, batch))
        scales = (1.0,) if estimates.shape[1] == 1 else self._config.scales
        if estimates.shape[1] != len(scales):
            raise ConfigError(f"loss.scales: expected {estimates.shape[1]} weights, got {len(scales)}")
        batch = _one_mixture_a_row(batch)
        mixture, target, present, num_samples = (
            batch.get(name) for name in ("mixture", "target", "present", "num_samples")
        )
        rows = torch.zeros(len(mixture), device=mixture.device)
        for scale, weight in enumerate(scales):
            estimate = estimates[:, scale].float()
            ratio = si_sdr(estimate, target, num_samples=num_samples)
            left = energy_left_db(estimate, mixture, num_samples, floor_db=self._config.absent_floor_db)
            found = saturated(ratio, self._config.max_si_sdr_db)
            rows = rows + weight * torch.where(present, -found, self._config.absent * left)
        total = rows.mean()
        known = batch["speaker"] != NO_SPEAKER
        if self._config.speaker and scores is not None:
            total = total + self._config.speaker * _cross_entropy(scores.float(), batch["speaker"], known)
        with torch.no_grad():
            short = estimates[:, 0].float()
            return total, self._statistics(batch, short, scores, known)

    def _of_speakers(self, network: nn.Module, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        """The cross entropy alone: the mixtures are not looked at."""
        if not self._config.speaker:
            raise ConfigError("draw.speaker_epochs: nothing to learn in them, since loss.speaker is 0; set one of them")
        scores = network.classify(clue_of(network, batch)).float()
        known = batch["speaker"] != NO_SPEAKER
        correct = (scores.argmax(1) == batch["speaker"]).float()
        nothing = torch.full((), torch.nan, device=scores.device)
        statistics = {name: nothing for name in ("si_sdr", "si_sdri", "energy_left")}
        statistics["speaker_accuracy"] = (correct * known).sum() / known.sum()
        return self._config.speaker * _cross_entropy(scores, batch["speaker"], known), statistics

    def _statistics(
        self, batch: dict[str, Any], short: Tensor, scores: Tensor | None, known: Tensor
    ) -> dict[str, Tensor]:
        mixture, target, num_samples = batch["mixture"], batch["target"], batch.get("num_samples")
        ratio = si_sdr(short, target, num_samples=num_samples)
        gain = ratio - si_sdr(mixture, target, num_samples=num_samples)
        left = energy_left_db(short, mixture, num_samples, floor_db=-100.0)
        over = {
            "si_sdr": (ratio, batch["present"]),
            "si_sdri": (gain, batch["present"] & ~batch["alone"]),
            "energy_left": (left, ~batch["present"]),
        }
        if scores is not None:
            over["speaker_accuracy"] = ((scores.argmax(1) == batch["speaker"]).float(), known)
        return {name: (values * rows).sum() / rows.sum() for name, (values, rows) in over.items()}


def clue_of(network: nn.Module, batch: dict[str, Any]) -> Clue:
    """The clues of a batch: those that it brings, else what the network makes of its enrollments."""
    if "clue_embedding" in batch:
        return Clue(batch["clue_embedding"])
    return network.clue(batch["enrollment"], batch.get("enrollment_length"))


def _one_mixture_a_row(batch: dict[str, Any]) -> dict[str, Any]:
    """The batch with each of its M mixtures, and their lengths, once for each of the R rows that ask of it."""
    count = len(batch["target"]) // len(batch["mixture"])
    repeated = {"mixture": batch["mixture"].repeat(count, 1)}
    if "num_samples" in batch:
        repeated["num_samples"] = batch["num_samples"].repeat(count)
    return batch | repeated


def saturated(si_sdr_db: Tensor, max_db: float) -> Tensor:
    """SI-SDR that bends towards ``max_db`` from below and never passes it; as it is if ``max_db`` is 0.

    The signal-to-noise ratio with noise ``max_db`` below the target added to what is there: ratios 10 dB below the
    limit lose 0.4 dB.

    Reference: Wisdom et al., "Unsupervised sound separation using mixture invariant training", NeurIPS 2020, eq. 2.

    >>> saturated(torch.tensor([-20.0, 30.0, 80.0]), 30.0).round(decimals=2)
    tensor([-20.0000,  26.9900,  30.0000])
    """
    if not max_db:
        return si_sdr_db
    decibel = math.log(10) / 10
    return -torch.logaddexp(-si_sdr_db * decibel, torch.full_like(si_sdr_db, -max_db * decibel)) / decibel


def energy_left_db(estimate: Tensor, mixture: Tensor, num_samples: Tensor | None, *, floor_db: float) -> Tensor:
    """Energy of the estimate (B, T) over that of the mixture (B, T), in dB, bending towards ``floor_db``: (B,).

    Args:
        num_samples: (B,) samples that count; all if None.

    >>> energy_left_db(torch.tensor([[0.1, -0.1]]), torch.tensor([[1.0, 1.0]]), None, floor_db=-60.0).round(decimals=2)
    tensor([-20.])
    """
    if num_samples is not None:
        counted = torch.arange(mixture.shape[-1], device=mixture.device) < num_samples[:, None]
        estimate, mixture = estimate * counted, mixture * counted
    tiny = 1e-8  # a silent mixture has no energy to compare with
    ratio = (estimate.square().sum(-1) + tiny * 10 ** (floor_db / 10)) / (mixture.square().sum(-1) + tiny)
    return 10 * torch.log10(ratio + 10 ** (floor_db / 10))


def _cross_entropy(scores: Tensor, speaker: Tensor, known: Tensor) -> Tensor:
    """Mean over the rows of training speakers, 0 without any."""
    rows = nn.functional.cross_entropy(scores, speaker.clamp(min=0), reduction="none")
    return (rows * known).sum() / known.sum().clamp(min=1)
