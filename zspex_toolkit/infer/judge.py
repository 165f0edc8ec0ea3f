"""Judge embeddings by speaker identification: accuracy, cosine similarity, error, verification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.errors import UserError
from zspex_toolkit.metrics.bootstrap_interval import bootstrap_interval
from zspex_toolkit.metrics.cosine_similarity import cosine_similarity
from zspex_toolkit.metrics.equal_error_rate import equal_error_rate
from zspex_toolkit.tasks.classification import load_classifier


class Judge:
    """The frozen classifier B and the clean embeddings of the speakers it knows.

    Args:
        classifier: experiment of B.
        clean_speakers: ``spk_xvector.scp`` of the same speakers.

    Raises:
        UserError: if the two know different speakers.
    """

    def __init__(self, classifier: Path, clean_speakers: Path):
        spec, self._classifier = load_classifier(classifier)
        self.speakers, self.clean = read_embeddings(clean_speakers)
        if list(spec.speakers) != self.speakers:
            raise UserError(f"{classifier}: knows other speakers than {clean_speakers}; make both from one model")
        self._number = {spk: number for number, spk in enumerate(self.speakers)}

    def numbers(self, speakers: list[str], where: Path) -> np.ndarray:
        """Class of each speaker, (N,).

        Raises:
            UserError: for a speaker who was not trained on; names ``where``.
        """
        unknown = [spk for spk in speakers if spk not in self._number]
        if unknown:
            raise UserError(f"{where}: speaker '{unknown[0]}' is none of the {len(self.speakers)} training speakers")
        return np.array([self._number[spk] for spk in speakers])

    def judge(self, estimates: Tensor, asked: np.ndarray) -> dict[str, Any]:
        """Scores of embeddings.

        Args:
            estimates: (N, D).
            asked: (N,) classes of the speakers who were asked for.

        Returns:
            ``num_trials``, ``accuracy`` of B with its 95 % interval (speakers are drawn, with all their trials),
            ``mean_cosine`` and ``mae`` to the clean embeddings, and ``equal_error_rate`` of verifying every estimate
            against every speaker by cosine: one target trial and K - 1 impostors each.

        Raises:
            UserError: if an embedding is not finite.
        """
        if not torch.isfinite(estimates).all():
            raise UserError(
                f"{int((~torch.isfinite(estimates)).any(1).sum())} of {len(estimates)} embeddings are not finite"
            )
        with torch.inference_mode():
            correct = self._classifier(estimates).argmax(1).numpy() == asked
        cosines = cosine_similarity(estimates.numpy()[:, None], self.clean.numpy()[None])  # (N, K)
        same = np.arange(len(self.speakers))[None] == asked[:, None]
        return {
            "num_trials": len(asked),
            "accuracy": float(correct.mean()),
            "accuracy_interval": [float(bound) for bound in bootstrap_interval(correct.astype(float), groups=asked)],
            "mean_cosine": float(cosines[same].mean()),
            "mae": float((estimates - self.clean[torch.from_numpy(asked)]).abs().mean()),
            "equal_error_rate": equal_error_rate(cosines.ravel(), same.ravel()),
        }
