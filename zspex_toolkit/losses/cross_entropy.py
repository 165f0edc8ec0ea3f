"""Cross entropy of speaker classes."""

from torch import Tensor, nn

__all__ = ["cross_entropy"]


def cross_entropy(speaker_scores: Tensor, speaker: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Mean over the rows with a class of -log softmax(scores)[class], a scalar in nats; 0 without any.

    Args:
        speaker_scores: (B, K) logits.
        speaker: (B,) class of each row, int64; negative for a speaker who is none of the classes.
        label_smoothing: share of the target spread evenly over all classes.

    Raises:
        ValueError: if there is not one class for each row.

    >>> import torch
    >>> cross_entropy(torch.zeros(3, 4), torch.tensor([0, 3, -1])).exp()
    tensor(4.)
    """
    if speaker_scores.ndim != 2 or speaker.shape != speaker_scores.shape[:1]:
        raise ValueError(
            f"expected scores (B, K) and classes (B,), got {tuple(speaker_scores.shape)} and {tuple(speaker.shape)}"
        )
    known = speaker >= 0
    rows = nn.functional.cross_entropy(
        speaker_scores, speaker.clamp(min=0), reduction="none", label_smoothing=label_smoothing
    )
    return (rows * known).sum() / known.sum().clamp(min=1)
