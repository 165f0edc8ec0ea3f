"""Energy-based voice activity detection; equal to Kaldi's ``compute-vad`` and ``select-voiced-frames``."""

import torch
from torch import Tensor, nn

from zspex_toolkit.signal.front_end_config import VadConfig


def energy_vad(feats: Tensor, num_frames: Tensor | None = None, config: VadConfig = VadConfig()) -> Tensor:  # noqa: B008 - it is frozen
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


def select_voiced(feats: Tensor, voiced: Tensor, num_frames: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Voiced frames of a batch, moved together.

    Args:
        feats: (B, L, F).
        voiced: (B, L) bool.
        num_frames: (B,) valid frames; all L if None.

    Returns:
        (B, L', F) with L' the largest number kept, zero beyond the frames of a row, and (B,) frames kept
        (0 where no frame is voiced).

    >>> feats, num_frames = select_voiced(torch.tensor([[[1.], [2.], [3.]]]), torch.tensor([[True, False, True]]))
    >>> feats.flatten().tolist(), num_frames.tolist()
    ([1.0, 3.0], [2])
    """
    if voiced.shape != feats.shape[:2]:
        raise ValueError(
            f"voiced: expected {tuple(feats.shape[:2])} decisions as there are frames, got {tuple(voiced.shape)}"
        )
    if num_frames is not None:
        voiced = voiced & (torch.arange(feats.shape[1], device=feats.device) < num_frames.to(feats.device)[:, None])
    kept = voiced.sum(dim=1)
    out = feats.new_zeros(len(feats), int(kept.max()) if len(kept) else 0, feats.shape[2])
    out[torch.arange(out.shape[1], device=feats.device) < kept[:, None]] = feats[voiced]
    return out, kept


def _sum_over_context(flags: Tensor, context: int) -> Tensor:
    """(B, L) bool to the number of true flags within ``context`` frames, (B, L) float."""
    flags = nn.functional.pad(flags.float(), (context + 1, context))
    total = flags.cumsum(dim=1)
    return total[:, 2 * context + 1 :] - total[:, : -2 * context - 1]
