"""Energy-based voice activity detection; equal to Kaldi's ``compute-vad``."""

import torch
from torch import Tensor, nn

from zspex_toolkit.signal.vad_config import SPEAKER, VadConfig


def energy_vad(feats: Tensor, num_frames: Tensor | None = None, config: VadConfig = SPEAKER) -> Tensor:
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
