"""From waveforms to what the embedding network sees: MFCC, voice activity, sliding mean, voiced frames."""

import torch
from torch import Tensor, nn

from zspex_toolkit.signal.cmvn import sliding_cmvn
from zspex_toolkit.signal.front_end_config import FrontEndConfig
from zspex_toolkit.signal.mfcc import Mfcc
from zspex_toolkit.signal.vad import energy_vad, select_voiced


class FrontEnd(nn.Module):
    """Waveforms to normalised voiced frames; the same object serves training and inference.

    An utterance in which the detector finds no speech keeps all its frames, so every utterance has some.
    """

    def __init__(self, config: FrontEndConfig = FrontEndConfig()):  # noqa: B008 - it is frozen
        super().__init__()
        self.config = config
        self.mfcc = Mfcc(config.mfcc)

    def forward(self, waveforms: Tensor, num_samples: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features of a batch.

        Args:
            waveforms: (B, T) in [-1, 1].
            num_samples: (B,) valid samples; all T if None.

        Returns:
            (B, L, F) features, zero beyond the frames of a row, and (B,) number of frames.

        Raises:
            ValueError: if a row is too short for one frame.
        """
        feats, num_frames = self.mfcc(waveforms, num_samples)
        if (num_frames == 0).any():
            row = int((num_frames == 0).nonzero()[0, 0])
            found = waveforms.shape[1] if num_samples is None else int(num_samples[row])
            raise ValueError(
                f"row {row}: expected at least one frame of {self.mfcc.config.frame_length} samples, got {found}"
            )
        return self.normalise(feats, energy_vad(feats, num_frames, self.config.vad), num_frames)

    def normalise(self, mfcc: Tensor, voiced: Tensor, num_frames: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Sliding mean and voiced frames of (B, L, F) raw MFCC with (B, L) decisions."""
        valid = torch.ones_like(voiced)
        if num_frames is not None:
            valid = torch.arange(voiced.shape[1], device=voiced.device) < num_frames.to(voiced.device)[:, None]
        if self.config.cmvn_window:
            mfcc = sliding_cmvn(mfcc, num_frames, window=self.config.cmvn_window)
        if self.config.subtract_level:
            mfcc = _without_level(mfcc, valid)
        silent = ~(voiced & valid).any(dim=1, keepdim=True)
        return select_voiced(mfcc, voiced | silent, num_frames)

    def from_mfcc(self, mfcc: Tensor, voiced: Tensor) -> Tensor:
        """Features of one utterance from its stored MFCC (L, F) and decisions (L,): (L', F)."""
        return self.normalise(mfcc[None], voiced[None].bool())[0][0]


def _without_level(mfcc: Tensor, valid: Tensor) -> Tensor:
    """(B, L, F) cepstra less the mean of their C0 over (B, L) valid frames.

    A gain adds the same constant to every log filter output, of which C0 alone holds the sum: without its mean, cepstra
    made with ``use_energy`` off are the same at any recording level.
    """
    level = torch.where(valid, mfcc[..., 0], 0).sum(dim=1) / valid.sum(dim=1).clamp(min=1)
    first, rest = mfcc.split([1, mfcc.shape[2] - 1], dim=2)
    return torch.cat([first - level[:, None, None], rest], dim=2)
