"""Negative SI-SDR of outputs that nobody asked for: a speaker each, in whatever order fits best."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor
from torch.nn import functional

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.losses.si_sdr import saturated
from zspex_toolkit.signal.energy_left import energy_left_db
from zspex_toolkit.signal.si_sdr import si_sdr as si_sdr_db

__all__ = ["blind_si_sdr"]

_SILENCE = 1e-10  # mean square below which a source is none


def blind_si_sdr(blind: Tensor, sources: Tensor, *, max_si_sdr_db: float = 30.0, floor_db: float = -30.0) -> Tensor:
    """Mean over mixtures and outputs of -SI-SDR under the best order of the sources, a scalar in dB.

    Where a mixture has fewer sources than there are outputs, the rest of them is to be silent: they cost their energy
    over that of all sources, in dB over the floor. Where it has more, the outputs may take any of them.

    Args:
        blind: (M, Q, T).
        sources: all speech of each mixture, (M, S, T), silent rows where there are fewer than S.
        max_si_sdr_db: SI-SDR saturates here.
        floor_db: silence that is silent enough.

    Raises:
        ConfigError: for a limit of 0 or less, or a floor of 0 or more.
        ValueError: if the shapes do not fit.

    Reference: Kolbaek et al., "Multitalker speech separation with utterance-level permutation invariant training",
    IEEE/ACM TASLP 2017.

    >>> sources = torch.tensor([[[1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]]])
    >>> blind_si_sdr(sources.flip(1), sources).round(decimals=2)
    tensor(-30.)
    """
    if not 0 < max_si_sdr_db < math.inf or not -math.inf < floor_db < 0:
        raise ConfigError(f"max_si_sdr_db, floor_db: expected above and below 0, got {max_si_sdr_db}, {floor_db}")
    if blind.ndim != 3 or sources.ndim != 3 or blind.shape[::2] != sources.shape[::2]:
        raise ValueError(f"expected (M, Q, T) and (M, S, T), got {tuple(blind.shape)} and {tuple(sources.shape)}")
    num_outputs = blind.shape[1]
    sources = functional.pad(sources, (0, 0, 0, max(0, num_outputs - sources.shape[1])))
    num_sources, num_samples = sources.shape[1:]
    outputs = blind.float()[:, :, None].expand(-1, -1, num_sources, -1)
    references = sources[:, None].expand(-1, num_outputs, -1, -1)
    sounding = (sources.square().mean(2) > _SILENCE)[:, None].expand(-1, num_outputs, -1)
    found = saturated(si_sdr_db(outputs.reshape(-1, num_samples), references.reshape(-1, num_samples)), max_si_sdr_db)
    everything = sources.sum(1)[:, None].expand_as(blind).reshape(-1, num_samples)
    left = energy_left_db(blind.float().reshape(-1, num_samples), everything, floor_db=floor_db) - floor_db
    cost = torch.where(sounding, -found.view(sounding.shape), left.view(*blind.shape[:2], 1))  # (M, Q, S)
    orders = list(itertools.permutations(range(num_sources), num_outputs))
    totals = torch.stack([cost[:, range(num_outputs), order].mean(1) for order in orders])  # (P, M)
    # As many outputs as can be take a source that sounds, however little silence would cost.
    taken = torch.stack([sounding[:, range(num_outputs), order].sum(1) for order in orders])
    return totals.masked_fill(taken < taken.amax(0), torch.inf).amin(0).mean()
