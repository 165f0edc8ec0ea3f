"""Train the embedder A: tell the training speakers apart by random segments of their speech."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zspex_toolkit.config import check_options
from zspex_toolkit.data.augment import AugmentConfig, AugmentedUtterances
from zspex_toolkit.data.front_end import front_end_of
from zspex_toolkit.data.masking import MaskConfig, Masking
from zspex_toolkit.data.speaker_segments import SpeakerSegments
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.losses.additive_angular_margin import cosine_logits
from zspex_toolkit.registry import load
from zspex_toolkit.signal.front_end import FrontEndConfig
from zspex_toolkit.tasks.experiment import load_weights, read_spec, require_finished, start_experiment
from zspex_toolkit.tasks.losses import Losses, Offer
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.loop import train

OFFERS = {
    "speaker_scores": Offer("BK", "score", "of the training speakers, by an affine layer on the embedding"),
    "cosines": Offer("BK", "score", "of the embedding and each training speaker's weights"),
    "speaker": Offer("B", "class", "class of the speaker"),
    "embedding": Offer("BD", "signal", "of the segment"),
}


def default_losses() -> dict[str, Any]:
    """Cross entropy alone."""
    return {"cross_entropy": {"weight": 1.0}}


@dataclass(frozen=True)
class Config:
    """Settings of train_embedder."""

    data: Path  # data directory of the training utterances, with feats.scp and vad.scp
    exp_dir: Path  # folder of the experiment
    network: str = "residual_tdnn"  # file under models/embedders/
    network_options: dict[str, Any] = field(default_factory=dict)  # arguments of its constructor
    losses: dict[str, Any] = field(default_factory=default_losses)  # file under losses/: {weight, options}
    segment_frames: int = 200  # voiced frames of a training segment; 0: whole utterances
    segments_per_utterance: int = 1  # segments of each utterance in one epoch
    cmvn_window: int = 300  # frames of the sliding mean; 0: none
    subtract_level: bool = False  # take each utterance's mean of C0 away, and the recording level with it
    augment: AugmentConfig = field(default_factory=AugmentConfig)  # perturb waveforms on the fly
    mask: MaskConfig = field(default_factory=MaskConfig)  # mask segments in time and frequency
    device: str = "auto"  # auto, cpu or cuda:N
    train: TrainConfig = field(default_factory=TrainConfig)  # the loop

    FORMER: ClassVar = dict.fromkeys(
        ("loss", "loss_options"), "losses: {LOSS: {weight: 1.0, options: {LOSS_OPTIONS}}}, LOSS a file under losses/"
    )


@dataclass(frozen=True)
class EmbedderSpec:
    """What inference needs to build the network again (model.yaml)."""

    network: str
    network_options: dict[str, Any]
    front_end: FrontEndConfig


class SpeakerScores(nn.Module):
    """An embedder and the output layer it is trained with: (B, L, F) to what losses ask for, by name (see ``OFFERS``).

    Args:
        embedder: (B, L, F) to (B, D).
        num_speakers: K.
        affine: whether ``speaker_scores`` are asked for.
        cosine: whether ``cosines`` are. The two share their weights.
    """

    def __init__(self, embedder: nn.Module, num_speakers: int, *, affine: bool, cosine: bool):
        super().__init__()
        self.embedder = embedder
        self.output = nn.Linear(embedder.embedding_dim, num_speakers, bias=affine)
        self._affine, self._cosine = affine, cosine

    def forward(self, feats: Tensor, num_frames: Tensor | None) -> dict[str, Tensor]:
        given = {"embedding": self.embedder(feats, num_frames)}
        if self._affine:
            given["speaker_scores"] = self.output(given["embedding"])
        if self._cosine:
            with torch.autocast(feats.device.type, enabled=False):  # margins are finer than half precision
                given["cosines"] = cosine_logits(given["embedding"].float(), self.output.weight)
        return {name: tensor.float() for name, tensor in given.items()}


def build_embedder(spec: EmbedderSpec) -> nn.Module:
    """The network, untrained.

    Raises:
        ConfigError: for an unknown network or option.
    """
    constructor = load("models.embedders", spec.network)
    check_options(constructor, spec.network_options, "network_options")
    return constructor(spec.front_end.mfcc.num_ceps, **spec.network_options)


def load_embedder(exp_dir: Path) -> tuple[EmbedderSpec, nn.Module]:
    """A trained embedder in evaluation mode, from its experiment alone.

    Raises:
        UserError: if the experiment is missing, unfinished or broken.
    """
    spec = read_spec(EmbedderSpec, exp_dir)
    embedder = build_embedder(spec)
    load_weights(embedder, require_finished(exp_dir), prefix="embedder.")
    return spec, embedder.eval().requires_grad_(False)


def train_embedder(config: Config) -> Path:
    """Train, or go on training, and return the experiment's folder."""
    losses = Losses(config.losses, OFFERS, "the training of an embedder")
    front_end = front_end_of(config.data, cmvn_window=config.cmvn_window, subtract_level=config.subtract_level)
    spec = EmbedderSpec(config.network, config.network_options, front_end)
    features = _features(config, front_end)
    speakers = features.speakers() if config.augment.on_the_fly else sorted(set(features.utt2spk.values()))
    train_set = SpeakerSegments(
        features,
        speakers,
        segment_frames=config.segment_frames,
        segments_per_utterance=config.segments_per_utterance,
        masking=Masking(config.mask, front_end.mfcc),
        seed=config.train.seed,
    )
    torch.manual_seed(config.train.seed)
    cosine = bool(losses.taking("cosines"))
    affine = bool(losses.taking("speaker_scores")) or not cosine
    model = SpeakerScores(build_embedder(spec), len(speakers), affine=affine, cosine=cosine)

    def loss(model: nn.Module, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        given = model(batch["feats"], batch.get("num_frames"))
        total, terms = losses(given | {"speaker": batch["speaker"]})
        scores = given["speaker_scores" if affine else "cosines"]
        return total, terms | {"accuracy": (scores.argmax(1) == batch["speaker"]).float().mean()}

    start_experiment(config.exp_dir, config, spec)
    train(model, loss, train_set, None, config.exp_dir, config.train, config.device)
    return config.exp_dir


def _features(config: Config, front_end: FrontEndConfig) -> StoredFeatures | AugmentedUtterances:
    if not config.augment.on_the_fly:
        return StoredFeatures(config.data, front_end)
    return AugmentedUtterances(Waveforms(config.data, front_end.mfcc.fs), front_end, config.augment)
