"""Train the classifier B on embeddings of the training speech; frozen afterwards, it judges every other embedding."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zspex_toolkit.config import check_options
from zspex_toolkit.data.embeddings import LabelledEmbeddings
from zspex_toolkit.errors import UserError
from zspex_toolkit.registry import load
from zspex_toolkit.tasks.experiment import load_weights, read_spec, require_finished, start_experiment
from zspex_toolkit.tasks.losses import Losses, Offer
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.loop import train

OFFERS = {
    "speaker_scores": Offer("BK", "score", "of the training speakers"),
    "speaker": Offer("B", "class", "class of the speaker"),
}


def default_losses() -> dict[str, Any]:
    """Cross entropy alone."""
    return {"cross_entropy": {"weight": 1.0}}


@dataclass(frozen=True)
class Config:
    """Settings of train_classifier."""

    data: Path  # directory with xvector.scp and utt2spk, as extract_embeddings writes it
    exp_dir: Path  # folder of the experiment
    network: str = "mlp"  # file under models/classifiers/
    network_options: dict[str, Any] = field(default_factory=dict)  # arguments of its constructor
    losses: dict[str, Any] = field(default_factory=default_losses)  # file under losses/: {weight, options}
    device: str = "auto"  # auto, cpu or cuda:N
    train: TrainConfig = field(default_factory=TrainConfig)  # the loop


@dataclass(frozen=True)
class ClassifierSpec:
    """What inference needs to build the classifier again (model.yaml)."""

    network: str
    network_options: dict[str, Any]
    embedding_dim: int
    speakers: tuple[str, ...]


def build_classifier(spec: ClassifierSpec) -> nn.Module:
    """The classifier, untrained.

    Raises:
        ConfigError: for an unknown network or option.
    """
    constructor = load("models.classifiers", spec.network)
    check_options(constructor, spec.network_options, "network_options")
    return constructor(spec.embedding_dim, len(spec.speakers), **spec.network_options)


def load_classifier(exp_dir: Path) -> tuple[ClassifierSpec, nn.Module]:
    """A trained classifier in evaluation mode, from its experiment alone.

    Raises:
        UserError: if the experiment is missing, unfinished or broken.
    """
    spec = read_spec(ClassifierSpec, exp_dir)
    classifier = build_classifier(spec)
    load_weights(classifier, require_finished(exp_dir))
    return spec, classifier.eval().requires_grad_(False)


def train_classifier(config: Config) -> Path:
    """Train, or go on training, and return the experiment's folder."""
    losses = Losses(config.losses, OFFERS, "the training of a classifier")
    train_set = LabelledEmbeddings(config.data)
    if len(train_set.speakers) < 2:
        raise UserError(f"{config.data}/utt2spk: expected at least two speakers, found {len(train_set.speakers)}")
    spec = ClassifierSpec(config.network, config.network_options, train_set.embedding_dim, train_set.speakers)
    torch.manual_seed(config.train.seed)
    model = build_classifier(spec)

    def loss(model: nn.Module, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        scores = model(batch["embedding"]).float()
        total, terms = losses({"speaker_scores": scores, "speaker": batch["speaker"]})
        return total, terms | {"accuracy": (scores.argmax(1) == batch["speaker"]).float().mean()}

    start_experiment(config.exp_dir, config, spec)
    train(model, loss, train_set, None, config.exp_dir, config.train, config.device)
    return config.exp_dir
