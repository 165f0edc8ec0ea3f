"""Train the de-mixing network C: from a mixture and one speaker's embedding to the other speaker's embedding."""

from __future__ import annotations

import filecmp
import inspect
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zspex_toolkit.config import check_options
from zspex_toolkit.data.drawn_mixtures import DrawConfig, DrawnMixtures
from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.data.masking import MaskConfig, Masking
from zspex_toolkit.data.mixture_segments import JoinedMixtures, Mixtures, MixtureSegments, StoredMixtures
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.registry import load
from zspex_toolkit.signal.front_end import FrontEndConfig
from zspex_toolkit.tasks.classification import load_classifier
from zspex_toolkit.tasks.embedding import EmbedderSpec, build_embedder, load_embedder
from zspex_toolkit.tasks.experiment import has_begun, load_weights, read_spec, require_finished, start_experiment
from zspex_toolkit.tasks.losses import Losses, Offer
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.loop import train
from zspex_toolkit.train.processes import is_main_process

OFFERS = {
    "estimate": Offer("BD", "signal", "embedding of the speaker asked for, as the network estimates it"),
    "reference": Offer("BD", "signal", "clean embedding of that speaker"),
    "known": Offer("BD", "signal", "clean embedding of the speaker that the network is given"),
    "speaker_scores": Offer("BK", "score", "of the frozen classifier B on the estimate; needs the setting classifier"),
    "speaker": Offer("B", "class", "class of the speaker asked for"),
}


def default_losses() -> dict[str, Any]:
    """Mean absolute error alone, as in the paper."""
    return {"mean_absolute_error": {"weight": 1.0}}


@dataclass(frozen=True)
class Config:
    """Settings of train_demixers."""

    exp_dir: Path  # folder of the experiment; each function's name is added to it: exp_dir_<demixer>
    embedder: Path  # experiment of the trained embedder A
    clean_speakers: Path  # spk_xvector.scp: clean embedding of each speaker
    data: tuple[Path, ...] = ()  # data directories of stored training mixtures
    valid_data: tuple[Path, ...] = ()  # stored mixtures whose error is followed over the epochs; they choose nothing
    draw: DrawConfig = field(default_factory=DrawConfig)  # training mixtures drawn on the fly, in place of data
    given: str = "e2"  # e2: the interferer is known; e1: the target is; both: learn either direction of each mixture
    demixers: tuple[str, ...] = ("subtract",)  # files under models/demixers/, trained one after another
    demixer_options: dict[str, Any] = field(default_factory=dict)  # constructor arguments, for those that take them
    freeze_embedder: bool = False  # train the function alone
    segment_frames: int = 200  # voiced frames of a training segment; 0: whole mixtures
    mask: MaskConfig = field(default_factory=MaskConfig)  # mask training segments in time and frequency
    losses: dict[str, Any] = field(default_factory=default_losses)  # file under losses/: {weight, options}
    classifier: Path | None = None  # experiment of the frozen classifier B: its accuracy is followed over the epochs
    device: str = "auto"  # auto, cpu or cuda:N
    train: TrainConfig = field(default_factory=TrainConfig)  # the loop

    FORMER: ClassVar = {"identification_weight": "losses: {cross_entropy: {weight: ...}}, beside the other losses"}


@dataclass(frozen=True)
class DemixerSpec:
    """What inference needs to build the network again (model.yaml); the weights of A lie beside it."""

    embedder: EmbedderSpec
    demixer: str
    demixer_options: dict[str, Any]
    given: str


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


def build_network(spec: DemixerSpec, *, freeze_embedder: bool = False) -> DemixingNetwork:
    """The network, untrained.

    Raises:
        ConfigError: for an unknown function or option.
    """
    embedder = build_embedder(spec.embedder)
    constructor = load("models.demixers", spec.demixer)
    check_options(constructor, spec.demixer_options, "demixer_options")
    derived = {}
    if "modulated_channels" in inspect.signature(constructor).parameters:
        derived["modulated_channels"] = embedder.modulated_channels
    demixer = constructor(embedder.embedding_dim, **derived, **spec.demixer_options)
    return DemixingNetwork(embedder, demixer, freeze_embedder=freeze_embedder)


def load_network(exp_dir: Path) -> tuple[DemixerSpec, DemixingNetwork]:
    """A trained de-mixing network in evaluation mode, from its experiment alone.

    Raises:
        UserError: if the experiment is missing, unfinished or broken.
    """
    spec = read_spec(DemixerSpec, exp_dir)
    network = build_network(spec)
    load_weights(network, require_finished(exp_dir))
    return spec, network.eval().requires_grad_(False)


def load_known_embedder(exp_dir: Path) -> nn.Module:
    """The embedder A as it was before it was tuned inside C: it embeds clean speech of the known speaker."""
    embedder = build_embedder(read_spec(DemixerSpec, exp_dir).embedder)
    load_weights(embedder, Path(exp_dir) / "embedder.safetensors", prefix="embedder.")
    return embedder.eval().requires_grad_(False)


def train_demixers(config: Config) -> list[Path]:
    """Train, or go on training, one network for each function; return the folders of the experiments."""
    _check_settings(config)
    embedder_spec, _ = load_embedder(config.embedder)
    speakers, clean = read_embeddings(config.clean_speakers)
    mixtures = _training_mixtures(config, embedder_spec.front_end)
    valid = [StoredMixtures(StoredFeatures(path, embedder_spec.front_end)) for path in config.valid_data]
    sets = {"given": config.given, "segment_frames": config.segment_frames, "seed": config.train.seed}
    masking = Masking(config.mask, embedder_spec.front_end.mfcc)
    train_set = MixtureSegments(mixtures, speakers, masking=masking, **sets)
    valid_set = MixtureSegments(JoinedMixtures(valid), speakers, **sets) if valid else None
    loss = DemixingLoss(config, clean, speakers)
    folders = []
    for demixer in config.demixers:
        constructor = load("models.demixers", demixer)
        taken = inspect.signature(constructor).parameters
        options = {name: value for name, value in config.demixer_options.items() if name in taken}
        spec = DemixerSpec(embedder_spec, demixer, options, config.given)
        torch.manual_seed(config.train.seed)
        network = build_network(spec, freeze_embedder=config.freeze_embedder)
        load_weights(network.embedder, require_finished(config.embedder), prefix="embedder.")
        exp_dir = config.exp_dir.with_name(f"{config.exp_dir.name}_{demixer}")
        start_experiment(exp_dir, config, spec, may_change=("exp_dir", "device", "demixers"))
        if not config.train.dry_run and is_main_process():
            _keep_embedder(require_finished(config.embedder), exp_dir)
        train(network, loss, train_set, valid_set, exp_dir, config.train, config.device)
        folders.append(exp_dir)
    return folders


class DemixingLoss:
    """Losses between estimated and clean embeddings of the speakers asked for.

    Args:
        config: with ``losses``.
        clean: (K, D) clean embeddings.
        speakers: their names, in this order.

    Raises:
        ConfigError: as :class:`~zspex_toolkit.tasks.losses.Losses`, or for a loss of a classifier that is not given.
        UserError: if the classifier knows other speakers.
    """

    def __init__(self, config: Config, clean: Tensor, speakers: list[str]):
        self._clean, self._losses = clean, losses_of(config)
        self._classifier: nn.Module | None = None
        if config.classifier is not None:
            spec, self._classifier = load_classifier(config.classifier)
            if list(spec.speakers) != speakers:
                raise UserError(f"{config.classifier}: knows other speakers than {config.clean_speakers}")

    def __call__(self, network: nn.Module, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch, its terms and, for the curves, the mean absolute error and the share that B knows."""
        self._clean = self._clean.to(batch["feats"].device)
        given = {"known": self._clean[batch["known"]], "reference": self._clean[batch["asked"]]}
        estimate = network(batch["feats"], batch.get("num_frames"), given["known"]).float()
        given |= {"estimate": estimate, "speaker": batch["asked"]}
        report = {"mae": (estimate - given["reference"]).abs().mean().detach()}
        if self._classifier is not None:
            with torch.set_grad_enabled(torch.is_grad_enabled() and bool(self._losses.taking("speaker_scores"))):
                scores = given["speaker_scores"] = self._classifier.to(estimate.device)(estimate)
            report["accuracy"] = (scores.argmax(1) == batch["asked"]).float().mean()
        total, terms = self._losses(given)
        return total, terms | report


def losses_of(config: Config) -> Losses:
    """What ``config`` asks to minimise.

    Raises:
        ConfigError: as :class:`~zspex_toolkit.tasks.losses.Losses`, or for a loss of a classifier that is not given.
    """
    losses = Losses(config.losses, OFFERS, "de-mixing")
    if config.classifier is None and (needing := losses.taking("speaker_scores")):
        raise ConfigError(f"losses.{needing[0]}: needs classifier, the experiment of the classifier B")
    return losses


def _training_mixtures(config: Config, front_end: FrontEndConfig) -> Mixtures:
    if bool(config.data) == (config.draw.source_data is not None):
        raise ConfigError("expected one of data (stored mixtures) and draw.source_data (mixing on the fly)")
    if config.data:
        return JoinedMixtures([StoredMixtures(StoredFeatures(path, front_end)) for path in config.data])
    waveforms = Waveforms(config.draw.source_data, front_end.mfcc.fs)
    return DrawnMixtures(waveforms, front_end, config.draw, seed=config.train.seed)


def _check_settings(config: Config) -> None:
    """Refuse what would be ignored, or would let the followed mixtures steer the training.

    Raises:
        ConfigError: naming the setting.
    """
    constructors = [load("models.demixers", demixer) for demixer in config.demixers]
    taken = {name for constructor in constructors for name in inspect.signature(constructor).parameters}
    taken -= {"embedding_dim", "modulated_channels"}  # derived, not set
    check_options(
        constructors[0], {k: v for k, v in config.demixer_options.items() if k not in taken}, "demixer_options"
    )
    if config.valid_data and (config.train.schedule == "plateau" or config.train.patience):
        raise ConfigError(
            "train.schedule plateau and train.patience would choose by the mixtures of valid_data, which are for "
            "looking at only; leave valid_data away or take another schedule"
        )
    losses_of(config)


def _keep_embedder(source: Path, exp_dir: Path) -> None:
    """Lay the weights of A beside the network that is tuned from them: a hard link where the file system has them.

    Raises:
        UserError: if the training was begun from another A.
    """
    kept = exp_dir / "embedder.safetensors"
    if has_begun(exp_dir) and kept.exists() and not filecmp.cmp(source, kept, shallow=False):
        raise UserError(f"{exp_dir}: was begun from another embedder than {source}; choose another exp_dir")
    with atomic_path(kept) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
