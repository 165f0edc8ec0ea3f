"""Scale-invariant signal-to-distortion ratio."""

import torch
from torch import Tensor


def si_sdr(
    estimate: Tensor,
    reference: Tensor,
    *,
    num_samples: Tensor | None = None,
    eps: float = 1e-8,
) -> Tensor:
    """Energy of the estimate's part along the reference over that of the rest, in dB.

    Neither the scale nor the sign of the estimate matters, and the means of both signals are removed first. Computed in
    at least single precision, also within autocast. Silence gives finite values and gradients: 0 dB for a silent
    estimate, whose ratio is undefined, and about ``10 log10(eps / energy of the estimate)`` for a silent reference.

    Args:
        estimate: extracted speech, (..., T).
        reference: clean speech of the target, (..., T), aligned with ``estimate``.
        num_samples: how many samples of each signal count, from the first; any shape that broadcasts to (...); all T
            if None. What lies behind them may be anything, NaN too.
        eps: added to the energies (sums of squares) in numerator and denominator.

    Returns:
        (...), one ratio in dB for each signal.

    Raises:
        ValueError: if the shapes differ.

    Reference: Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019, eq. 4.

    >>> reference = torch.tensor([1., -1., 1., -1.])
    >>> noise = torch.tensor([.1, .1, -.1, -.1])          # 20 dB below, orthogonal
    >>> si_sdr(-3 * (reference + noise), reference).round(decimals=3)
    tensor(20.)
    """
    if estimate.shape != reference.shape or not estimate.ndim:
        raise ValueError(
            "expected an estimate and a reference of one shape (..., T), "
            f"got {tuple(estimate.shape)} and {tuple(reference.shape)}"
        )
    precision = torch.promote_types(torch.promote_types(estimate.dtype, reference.dtype), torch.float32)
    estimate, reference = (_prepare(signal.to(precision), num_samples) for signal in (estimate, reference))
    # Products and sums, not a matrix product, which autocast would take to half precision.
    scale = (estimate * reference).sum(-1, keepdim=True) / (reference.square().sum(-1, keepdim=True) + eps)
    along = scale * reference
    kept = along.square().sum(-1) + eps
    rest = (estimate - along).square().sum(-1) + eps
    return 10 * (kept.log10() - rest.log10())


def _prepare(signal: Tensor, num_samples: Tensor | None) -> Tensor:
    """The signal (..., T), zero behind its samples, its mean removed."""
    if num_samples is None:
        return signal - signal.mean(-1, keepdim=True)
    count = num_samples.to(signal.device)[..., None]
    valid = torch.arange(signal.shape[-1], device=signal.device) < count  # (..., T)
    signal = torch.where(valid, signal, 0)
    return torch.where(valid, signal - signal.sum(-1, keepdim=True) / count.clamp(min=1), 0)
