"""Negative scale-invariant signal-to-distortion ratio of extracted speech."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.losses._scales import PUBLISHED, sum_of_scales
from zspex_toolkit.signal.si_sdr import si_sdr as si_sdr_db

__all__ = ["si_sdr"]


def si_sdr(
    estimates: Tensor,
    target: Tensor,
    present: Tensor,
    num_samples: Tensor | None,
    *,
    scales: tuple[float, ...] = PUBLISHED,
    max_si_sdr_db: float = 0.0,
) -> Tensor:
    """Mean over all rows of -SI-SDR, a scalar in dB; rows whose target is absent count as 0.

    Args:
        estimates: of the target by the short, the middle and the long filters, or by as many as there are, (R, S, T).
        target: clean speech of the target, (R, T).
        present: whether the target is in the mixture, (R,) bool.
        num_samples: samples that count, (R,); all T if None.
        scales: weights of the estimates; a network with fewer takes the first, scaled to the sum of all.
        max_si_sdr_db: SI-SDR saturates here: better waveforms gain nothing; 0: no limit.

    Raises:
        ConfigError: for a negative limit or weight, or fewer weights than estimates.
        ValueError: if the shapes do not fit.

    Reference: Ge et al., "SpEx+: a complete time domain speaker extraction network", Interspeech 2020, eq. 12.

    >>> reference = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    >>> noise = torch.tensor([[0.1, 0.1, -0.1, -0.1]])          # 20 dB below, orthogonal
    >>> si_sdr((reference + noise)[:, None], reference, torch.tensor([True]), None).round(decimals=3)
    tensor(-20.)
    """
    if not 0 <= max_si_sdr_db < math.inf:
        raise ConfigError(f"max_si_sdr_db: expected a finite number of 0 or more, got {max_si_sdr_db}")
    if present.shape != target.shape[:1]:
        raise ValueError(f"expected present (R,) of {len(target)} rows, got {tuple(present.shape)}")

    def of_scale(estimate: Tensor) -> Tensor:
        found = saturated(si_sdr_db(estimate, target, num_samples=num_samples), max_si_sdr_db)
        return torch.where(present, -found, 0)

    return sum_of_scales(estimates, scales, of_scale).mean()


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
