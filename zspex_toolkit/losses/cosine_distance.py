"""One minus the cosine similarity of embeddings."""

from torch import Tensor, nn

__all__ = ["cosine_distance"]


def cosine_distance(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean over the batch of 1 - cos(estimate, reference), a scalar between 0 and 2.

    Args:
        estimate: (B, D).
        reference: (B, D).

    Raises:
        ValueError: if the shapes differ.

    >>> import torch
    >>> cosine_distance(torch.tensor([[3.0, 4.0]]), torch.tensor([[8.0, 6.0]])).round(decimals=4)
    tensor(0.0400)
    """
    if estimate.shape != reference.shape:
        raise ValueError(f"expected one shape, got {tuple(estimate.shape)} and {tuple(reference.shape)}")
    return (1 - nn.functional.cosine_similarity(estimate, reference, dim=-1)).mean()
