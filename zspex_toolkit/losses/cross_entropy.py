"""Cross entropy of speaker classes."""

from torch import Tensor, nn

__all__ = ["cross_entropy"]


def cross_entropy(estimate: Tensor, reference: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Mean over the batch of -log softmax(estimate)[reference], a scalar in nats.

    Args:
        estimate: (B, K) logits.
        reference: (B,) class of each row, int64.
        label_smoothing: share of the target spread evenly over all classes.

    Raises:
        ValueError: if there is not one class for each row.

    >>> import torch
    >>> cross_entropy(torch.zeros(2, 4), torch.tensor([0, 3])).exp()
    tensor(4.)
    """
    if estimate.ndim != 2 or reference.shape != estimate.shape[:1]:
        raise ValueError(
            f"expected logits (B, K) and classes (B,), got {tuple(estimate.shape)} and {tuple(reference.shape)}"
        )
    return nn.functional.cross_entropy(estimate, reference, label_smoothing=label_smoothing)
