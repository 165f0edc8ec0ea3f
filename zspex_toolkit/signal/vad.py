"""Energy-based voice activity detection; equal to Kaldi's ``compute-vad``."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class VadConfig:
    """Settings of the detector; the defaults are those of Kaldi's speaker recipes (``conf/vad.conf``)."""

    energy_threshold: float = 5.5  # constant term of the threshold on the log energy
    energy_mean_scale: float = 0.5  # the mean log energy of the utterance times this is added to it
    frames_context: int = 2  # frames on either side that vote
    proportion_threshold: float = 0.12  # share of votes needed, 0 to 1


def energy_vad(feats: Tensor, num_frames: Tensor | None = None, config: VadConfig = VadConfig()) -> Tensor:
    """Which frames hold speech.

    Args:
        feats: (B, L, F) MFCC whose first coefficient is the log energy, before mean normalisation.
        num_frames: (B,) valid frames; all L if None.
        config: thresholds.

    Returns:
        (B, L) bool, False beyond the frames of a row.

    >>> log_energy = torch.tensor([[0., 0., 0., 0., 20., 0., 0., 0., 0.]])[..., None]
    >>> config = VadConfig(energy_threshold=5, energy_mean_scale=0, frames_context=1, proportion_threshold=0.3)
    >>> energy_vad(log_energy, config=config)[0].int().tolist()
    [0, 0, 0, 1, 1, 1, 0, 0, 0]
    """
    log_energy = feats[..., 0].float()  # (B, L)
    longest = log_energy.shape[1]
    if num_frames is None:
        num_frames = torch.full((len(feats),), longest, device=feats.device)
    valid = torch.arange(longest, device=feats.device) < num_frames.to(feats.device)[:, None]
    total = torch.where(valid, log_energy, 0).double().sum(dim=1)
    mean = (total / valid.sum(dim=1).clamp(min=1)).float()
    threshold = config.energy_threshold + config.energy_mean_scale * mean
    loud = valid & (log_energy > threshold[:, None])
    votes = _sum_over_context(loud, config.frames_context)
    voters = _sum_over_context(valid, config.frames_context)
    return valid & (votes >= voters * config.proportion_threshold)


def _sum_over_context(flags: Tensor, context: int) -> Tensor:
    """(B, L) bool to the number of true flags within ``context`` frames, (B, L) float."""
    flags = nn.functional.pad(flags.float(), (context + 1, context))
    total = flags.cumsum(dim=1)
    return total[:, 2 * context + 1 :] - total[:, : -2 * context - 1]
