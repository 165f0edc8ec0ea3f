"""What an extractor is trained for, unless told otherwise: the waveform, the speaker, and silence without that one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from zspex_toolkit.data.trial_rows import NO_SPEAKER
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.models.extractor_contract import ExtractorOutput
from zspex_toolkit.signal.energy_left import energy_left_db
from zspex_toolkit.signal.si_sdr import si_sdr
from zspex_toolkit.tasks.losses import Losses, Offer
from zspex_toolkit.train.processes import is_main_process

OFFERS = {
    "estimates": Offer("RST", "signal", "waveforms of the target at each scale, short to long, or one"),
    "target": Offer("RT", "signal", "clean speech of the target; silence where that one is absent"),
    "mixture": Offer("RT", "signal", "what the network heard"),
    "present": Offer("R", "flag", "whether the enrolled speaker is in the mixture"),
    "blind": Offer("MST", "signal", "speakers of each mixture that nobody asked for; not of every network"),
    "sources": Offer("MST", "signal", "all speech of each mixture; not of every list of trials"),
    "alone": Offer("R", "flag", "whether the target is all the speech there is"),
    "num_samples": Offer("R", "length", "samples that count; None if all do"),
    "speaker_scores": Offer("RK", "score", "of the training speakers, from the enrollment; not of every network"),
    "speaker": Offer("R", "known_class", "class of the enrolled speaker; -1 if that one is no training speaker"),
}


def default_losses() -> dict[str, Any]:
    """-(0.8, 0.1, 0.1) SI-SDR of the short, middle and long scale + 0.5 cross entropy of the speaker, as SpEx+."""
    return {"si_sdr": {"weight": 1.0}, "absent_energy": {"weight": 1.0}, "cross_entropy": {"weight": 0.5}}


class ExtractionLoss:
    """The loss of a batch of rows (see :mod:`zspex_toolkit.data.trial_rows`), finite for silence too.

    Args:
        settings: ``losses: {name: {weight, options}}``. The default does without the speaker where the network has no
            speaker scores, and says so; other settings then need a network that has them.
        speaker_epochs: how many epochs will learn from enrollments alone.

    Statistics: each loss; ``si_sdr`` of the short scale, over rows whose target is there, and ``si_sdri`` (its gain
    over the mixture), over those with an interferer too; ``speaker_accuracy``, over rows of training speakers;
    ``energy_left`` (output over mixture, dB), over rows whose target is absent. One without rows is not a number.

    Raises:
        ConfigError: as :class:`~zspex_toolkit.tasks.losses.Losses`, and if there is nothing to learn in those epochs.
    """

    def __init__(self, settings: Mapping[str, Any] | None = None, *, speaker_epochs: int = 0):
        self._is_default = settings is None or settings == default_losses()
        self._losses = Losses(default_losses() if settings is None else settings, OFFERS, "extraction")
        if speaker_epochs:
            self._check_speaker_epochs(("speaker_scores", "speaker"))

    def __call__(self, network: nn.Module, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its statistics."""
        if batch.get("speaker_only"):
            return self._of_speakers(network, batch)
        num_rows = len(batch["target"])
        estimates, scores, blind = ExtractorOutput(*network(batch["mixture"], clue_of(network, batch)))
        given = {name: batch[name] for name in ("target", "present", "alone", "speaker")}
        given |= {"estimates": estimates.float(), "mixture": to_rows(batch["mixture"], num_rows)}
        given["num_samples"] = to_rows(batch.get("num_samples"), num_rows)
        if blind is not None:
            given["blind"] = blind.float()
            given |= {"sources": batch["sources"]} if "sources" in batch else {}
        if scores is not None:
            given["speaker_scores"] = scores.float()
        elif self._is_default and (useless := self._losses.taking("speaker_scores")):
            self._losses.drop(useless)
            if is_main_process():
                print(f"losses: without {', '.join(useless)}: this network gives no speaker scores")
        # A list of trials may not know all speech of its mixtures; that the network has blind outputs is for training.
        total, terms = self._losses(given, partial=blind is not None and "sources" not in given)
        with torch.no_grad():
            return total, terms | _statistics(given)

    def _of_speakers(self, network: nn.Module, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        """What can be learnt from enrollments alone: the mixtures are not looked at."""
        scores = network.classify(clue_of(network, batch))
        given = {"speaker": batch["speaker"]} | ({} if scores is None else {"speaker_scores": scores.float()})
        self._check_speaker_epochs(given)
        total, terms = self._losses(given, partial=True)
        nothing = torch.full((), torch.nan, device=total.device)
        statistics = {name: nothing for name in ("si_sdr", "si_sdri", "energy_left")}
        with torch.no_grad():
            return total, terms | statistics | _speaker_statistics(given)

    def _check_speaker_epochs(self, given: Mapping[str, Any] | tuple[str, ...]) -> None:
        if not self._losses.computable(given):
            raise ConfigError(
                "draw.speaker_epochs: nothing to learn in them, since no loss is of speaker scores that the network "
                "gives; add losses.cross_entropy, or set draw.speaker_epochs to 0"
            )


def clue_of(network: nn.Module, batch: dict[str, Any]) -> Clue:
    """The clues of a batch: those that it brings, else what the network makes of its enrollments."""
    if "clue_embedding" in batch:
        return Clue(batch["clue_embedding"])
    return network.clue(batch["enrollment"], batch.get("enrollment_length"))


def to_rows(of_mixtures: Tensor | None, num_rows: int) -> Tensor | None:
    """What is known of mixtures (M, ...), for rows (R, ...): row r asks of mixture r % M."""
    if of_mixtures is None or len(of_mixtures) == num_rows:
        return of_mixtures
    return of_mixtures.repeat(num_rows // len(of_mixtures), *[1] * (of_mixtures.ndim - 1))


def _statistics(given: dict[str, Tensor]) -> dict[str, Tensor]:
    mixture, target, num_samples, present = (given[n] for n in ("mixture", "target", "num_samples", "present"))
    short = given["estimates"][:, 0]
    ratio = si_sdr(short, target, num_samples=num_samples)
    gain = ratio - si_sdr(mixture, target, num_samples=num_samples)
    over = {
        "si_sdr": (ratio, present),
        "si_sdri": (gain, present & ~given["alone"]),
        "energy_left": (energy_left_db(short, mixture, num_samples=num_samples), ~present),
    }
    means = {name: (values * rows).sum() / rows.sum() for name, (values, rows) in over.items()}
    return means | (_speaker_statistics(given) if "speaker_scores" in given else {})


def _speaker_statistics(given: dict[str, Tensor]) -> dict[str, Tensor]:
    known = given["speaker"] != NO_SPEAKER
    correct = (given["speaker_scores"].argmax(1) == given["speaker"]).float()
    return {"speaker_accuracy": (correct * known).sum() / known.sum()}
