"""Mean and standard deviation of the training set's features, for a recogniser with global normalisation."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from zspex_toolkit.data.transcribed import TranscribedBatches
from zspex_toolkit.signal.utterance_cmvn import frame_mask

_MOST_BATCHES = 200  # hours of speech at usual sizes: more would not move the mean of a filter


def set_global_statistics(model: nn.Module, batches: TranscribedBatches) -> None:
    """Give a recogniser with ``cmvn`` global the statistics of its training set; others stay as they are.

    They follow from the first epoch's batches, so that every process and every continued training has the same.
    """
    if getattr(model, "cmvn", None) == "global":  # a recogniser need not have the option
        model.set_statistics(*feature_statistics(model.front_end, batches))


@torch.no_grad()
def feature_statistics(front_end: nn.Module, batches: TranscribedBatches) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (F,) over all true frames of up to 200 batches, spread evenly over all durations.

    Args:
        front_end: waveforms (B, T) and numbers of samples (B,) to features (B, L, F) and numbers of frames (B,).
        batches: of the training.
    """
    chosen = np.linspace(0, len(batches) - 1, min(len(batches), _MOST_BATCHES)).round().astype(int)
    count, total, squares = 0, 0.0, 0.0
    for index in chosen.tolist():
        batch = batches.collate([batches.get(0, index)])
        feats, num_frames = front_end(batch["waveforms"], batch["num_samples"])
        frames = feats[frame_mask(num_frames, feats.shape[1], feats.device)].double()  # (N, F)
        count, total, squares = count + len(frames), total + frames.sum(0), squares + frames.square().sum(0)
    mean = total / count
    return mean.float(), (squares / count - mean.square()).clamp(min=0).sqrt().float()
