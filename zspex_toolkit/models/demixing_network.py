"""The de-mixing network C: an embedder that reads the mixture, then a de-mixing function."""

from __future__ import annotations

from torch import Tensor, nn


class DemixingNetwork(nn.Module):
    """Features of a mixture and the embedding of one speaker in it, to the embedding of the other speaker.

    Args:
        embedder: pre-trained network A; it reads the mixture.
        demixer: the function f(e_mix, e_known); its method ``modulation``, if any, reaches into the embedder's frames.
        freeze_embedder: keep A as it was trained, batch statistics included, and train f alone.

    Source: Shi & Hain, arXiv 2001.06397, Section 2.
    """

    def __init__(self, embedder: nn.Module, demixer: nn.Module, *, freeze_embedder: bool = False):
        super().__init__()
        self.embedder = embedder
        self.demixer = demixer
        self.freeze_embedder = freeze_embedder
        embedder.requires_grad_(not freeze_embedder)

    def train(self, mode: bool = True) -> DemixingNetwork:
        """Training mode; a frozen embedder stays in evaluation mode."""
        super().train(mode)
        if self.freeze_embedder:
            self.embedder.eval()
        return self

    def forward(self, feats: Tensor, num_frames: Tensor | None, known: Tensor) -> Tensor:
        """(B, L, F) mixtures, (B,) true frames and (B, D) known embeddings to (B, D) embeddings of the others."""
        if not hasattr(self.demixer, "modulation"):
            return self.demixer(self.embedder(feats, num_frames), known)
        return self.demixer(self.embedder(feats, num_frames, self.demixer.modulation(known)), known)
