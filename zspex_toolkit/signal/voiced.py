"""Keep the frames that hold speech; equal to Kaldi's ``select-voiced-frames``."""

import torch
from torch import Tensor


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
