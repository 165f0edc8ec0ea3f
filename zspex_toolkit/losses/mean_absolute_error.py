"""Mean absolute error between embeddings."""

from torch import Tensor

__all__ = ["mean_absolute_error"]


def mean_absolute_error(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean of the absolute differences over batch and dimensions, a scalar.

    Args:
        estimate: (B, D).
        reference: (B, D).

    Raises:
        ValueError: if the shapes differ.

    >>> import torch
    >>> mean_absolute_error(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 5.0]]))
    tensor(2.)
    """
    if estimate.shape != reference.shape:
        raise ValueError(f"expected one shape, got {tuple(estimate.shape)} and {tuple(reference.shape)}")
    return (estimate - reference).abs().mean()
