"""Level of the output where the enrolled speaker is absent, and silence is asked for."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.losses._scales import PUBLISHED, sum_of_scales
from zspex_toolkit.signal.energy_left import energy_left_db

__all__ = ["absent_energy"]


def absent_energy(
    estimates: Tensor,
    mixture: Tensor,
    present: Tensor,
    num_samples: Tensor | None,
    *,
    scales: tuple[float, ...] = PUBLISHED,
    floor_db: float = -30.0,
) -> Tensor:
    """Mean over all rows of the output's energy over the mixture's, in dB; rows whose target is present count as 0.

    Args:
        estimates: of the target, (R, S, T).
        mixture: (R, T).
        present: whether the target is in the mixture, (R,) bool.
        num_samples: samples that count, (R,); all T if None.
        scales: weights of the estimates, as in ``si_sdr``.
        floor_db: output over mixture where that level saturates: quieter gains nothing.

    Raises:
        ConfigError: for a floor of 0 or more, a negative weight, or fewer weights than estimates.
        ValueError: if the shapes do not fit.

    >>> estimates = torch.tensor([[[0.1, -0.1]], [[1.0, 1.0]]])
    >>> absent_energy(estimates, torch.ones(2, 2), torch.tensor([False, True]), None, floor_db=-60.0).round(decimals=2)
    tensor(-10.)
    """
    if not -math.inf < floor_db < 0:
        raise ConfigError(f"floor_db: expected a finite number below 0, got {floor_db}")
    if present.shape != mixture.shape[:1]:
        raise ValueError(f"expected present (R,) of {len(mixture)} rows, got {tuple(present.shape)}")

    def of_scale(estimate: Tensor) -> Tensor:
        return torch.where(present, 0, energy_left_db(estimate, mixture, num_samples=num_samples, floor_db=floor_db))

    return sum_of_scales(estimates, scales, of_scale).mean()
