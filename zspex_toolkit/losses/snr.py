"""Negative signal-to-noise ratio of extracted speech: unlike SI-SDR, it asks for the level, too."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.losses._scales import PUBLISHED, sum_of_scales
from zspex_toolkit.losses.si_sdr import saturated

__all__ = ["snr"]

_TINY = 1e-8  # of the target's energy, so that silence is no division by zero


def snr(
    estimates: Tensor,
    target: Tensor,
    present: Tensor,
    num_samples: Tensor | None,
    *,
    scales: tuple[float, ...] = PUBLISHED,
    max_snr_db: float = 30.0,
) -> Tensor:
    """Mean over all rows of -10 log10(|target|^2 / |estimate - target|^2), a scalar in dB; absent rows count as 0.

    Args:
        estimates: of the target, (R, S, T).
        target: clean speech of the target, (R, T).
        present: whether the target is in the mixture, (R,) bool.
        num_samples: samples that count, (R,); all T if None.
        scales: weights of the estimates, as in ``si_sdr``.
        max_snr_db: the ratio saturates here; 0: no limit.

    Raises:
        ConfigError: for a negative limit or weight, or fewer weights than estimates.
        ValueError: if the shapes do not fit.

    Reference: Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019, eq. 1.

    >>> target = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    >>> snr(1.1 * target[:, None], target, torch.tensor([True]), None, max_snr_db=0.0).round(decimals=3)
    tensor(-20.)
    """
    if not 0 <= max_snr_db < math.inf:
        raise ConfigError(f"max_snr_db: expected a finite number of 0 or more, got {max_snr_db}")
    if present.shape != target.shape[:1]:
        raise ValueError(f"expected present (R,) of {len(target)} rows, got {tuple(present.shape)}")
    if num_samples is not None:
        counts = torch.arange(target.shape[1], device=target.device) < num_samples[:, None]
        target = target * counts

    def of_scale(estimate: Tensor) -> Tensor:
        error = estimate - target if num_samples is None else (estimate - target) * counts
        energy = target.square().sum(1)
        ratio = 10 * torch.log10((energy + _TINY) / (error.square().sum(1) + _TINY * energy + _TINY))
        return torch.where(present, -saturated(ratio, max_snr_db), 0)

    return sum_of_scales(estimates, scales, of_scale).mean()
