"""Train a network that extracts the speaker of an enrollment from a mixture."""

from __future__ import annotations

import dataclasses
import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
import yaml
from torch import nn

from zspex_toolkit.config import check_options
from zspex_toolkit.data.drawn_trials import DrawConfig, DrawnTrials
from zspex_toolkit.data.embeddings import EmbeddingTable
from zspex_toolkit.data.extraction_trials import GIVEN_CLUE, StoredTrials
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.registry import load
from zspex_toolkit.tasks.experiment import load_weights, read_spec, read_weights, start_experiment
from zspex_toolkit.tasks.extraction_loss import ExtractionLoss, default_losses
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.loop import is_finished, train
from zspex_toolkit.train.processes import is_main_process

FORMAT_VERSION = 1  # of model.yaml and the weights beside it


@dataclass(frozen=True)
class Config:
    """Settings of train_extractor."""

    exp_dir: Path  # folder of the experiment
    extractor: str = "zspex"  # file under models/extractors/
    extractor_options: dict[str, Any] = field(default_factory=dict)  # arguments of its constructor
    fs: int = 8000  # rate of all audio in Hz
    draw: DrawConfig = field(default_factory=DrawConfig)  # training trials, drawn on the fly
    init_weights: Path | None = None  # weights (*.safetensors) of the same network to begin with, of other speakers too
    clue_table: Path | None = None  # xvector.scp of the training utterances, for an extractor with clue_dim
    valid_data: Path | None = None  # trial directory of the validation: a fixed list
    valid_seconds: float = 0.0  # use so much of the beginning of each validation mixture; 0: all of it
    valid_enrollment_seconds: float = 0.0  # and so much of each of its enrollments; 0: all of it
    losses: dict[str, Any] = field(default_factory=default_losses)  # file under losses/: {weight, options}
    device: str = "auto"  # auto, cpu or cuda:N
    train: TrainConfig = field(
        default_factory=TrainConfig
    )  # the loop; a batch has a row for each speaker asked for of each item

    FORMER: ClassVar = {
        "loss": "losses: {si_sdr: {weight: 1.0, options: {scales: [...], max_si_sdr_db: ...}}, absent_energy: {weight: "
        "ABSENT, options: {floor_db: ...}}, cross_entropy: {weight: SPEAKER}}; what is not named is left out"
    }


@dataclass(frozen=True)
class ExtractorSpec:
    """What inference needs to build the network again (model.yaml)."""

    extractor: str
    extractor_options: dict[str, Any]
    fs: int
    num_speakers: int
    format_version: int = FORMAT_VERSION
    presence: dict[str, float] | None = None  # of the score that tells whether the enrolled speaker is there


def build_extractor(spec: ExtractorSpec) -> nn.Module:
    """The network, untrained.

    Raises:
        ConfigError: for an unknown network or option.
    """
    constructor = load("models.extractors", spec.extractor)
    if "num_speakers" in spec.extractor_options:
        raise ConfigError("extractor_options: num_speakers is counted in the data, not set")
    if "fs" in spec.extractor_options:
        raise ConfigError("extractor_options: fs is that of the audio, set as fs")
    check_options(constructor, spec.extractor_options, "extractor_options")
    rate = {"fs": spec.fs} if "fs" in inspect.signature(constructor).parameters else {}
    return constructor(num_speakers=spec.num_speakers, **rate, **spec.extractor_options)


def read_extractor_spec(model_dir: Path) -> ExtractorSpec:
    """What ``model_dir/model.yaml`` says.

    Raises:
        UserError: if there is none, or it is of another kind or version.
    """
    _check_version(Path(model_dir) / "model.yaml")
    return read_spec(ExtractorSpec, model_dir)


def read_extractor(model_dir: Path) -> tuple[ExtractorSpec, nn.Module]:
    """The network that ``model_dir/model.yaml`` describes, untrained, and what it says.

    Raises:
        UserError: as :func:`read_extractor_spec`, and for an unknown network or option, naming the file.
    """
    spec = read_extractor_spec(model_dir)
    try:
        return spec, build_extractor(spec)
    except ConfigError as error:
        raise UserError(f"{Path(model_dir) / 'model.yaml'}: {error}") from error


def load_extractor(model_dir: Path) -> tuple[ExtractorSpec, nn.Module]:
    """A trained extractor in evaluation mode, from its folder alone: the best weights if there are, else the last.

    Raises:
        UserError: if the folder is no model, of another version, or its weights are missing, broken, hold code or are
            of another network.
    """
    model_dir = Path(model_dir)
    spec, extractor = read_extractor(model_dir)
    best = model_dir / "best.safetensors"
    load_weights(extractor, best if best.exists() else model_dir / "last.safetensors")
    return spec, extractor.eval().requires_grad_(False)


def init_extractor(extractor: nn.Module, path: Path) -> None:
    """Fill the network with weights of one like it; scores of other speakers than its own are learnt anew.

    Raises:
        UserError: if the file is missing, broken, or of another network.
    """
    own, given = extractor.state_dict(), read_weights(path)
    of_speakers = {name for name in own if name.startswith("speaker_classifier.")}
    if any(name not in given or given[name].shape != own[name].shape for name in of_speakers):
        given = {name: tensor for name, tensor in given.items() if name not in of_speakers}
        given |= {name: own[name] for name in of_speakers}
        if is_main_process():
            print(f"{path}: of other speakers; the scores of the {extractor.num_speakers} here are learnt anew")
    try:
        extractor.load_state_dict(given)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{path}: expected weights of this network (extractor, extractor_options): {reason}") from error


def train_extractor(config: Config) -> Path:
    """Train, or go on training, and return the experiment's folder."""
    if config.draw.source_data is None:
        raise ConfigError("draw.source_data: expected the data directory of the training utterances")
    _check_speaker_epochs(config.draw.speaker_epochs, config.train)
    loss = ExtractionLoss(config.losses, speaker_epochs=config.draw.speaker_epochs)
    train_set = DrawnTrials(config.draw, config.fs, seed=config.train.seed)
    spec = ExtractorSpec(config.extractor, config.extractor_options, config.fs, len(train_set.speakers))
    valid_set = _validation(config, train_set)
    torch.manual_seed(config.train.seed)
    extractor = build_extractor(spec)
    if config.init_weights:
        init_extractor(extractor, config.init_weights)
    _give_clues(config, extractor, train_set, valid_set)
    if is_finished(config.exp_dir, config.train) and (config.exp_dir / "model.yaml").exists():
        spec = dataclasses.replace(spec, presence=read_extractor_spec(config.exp_dir).presence)  # still of its weights
    start_experiment(config.exp_dir, config, spec)
    left_out = f"; {len(train_set.dropped)} utterances left out: {train_set.account()}" if train_set.dropped else ""
    line = (
        f"{config.draw.source_data}: {len(train_set):,} mixtures an epoch, {len(train_set.speakers)} voices{left_out}"
    )
    if is_main_process():
        print(line)
    train(extractor, loss, train_set, valid_set, config.exp_dir, config.train, config.device)
    return config.exp_dir


def _check_speaker_epochs(num_epochs: int, train_config: TrainConfig) -> None:
    """Refuse to judge by the validation while nothing is learnt that it measures.

    Raises:
        ConfigError: if the rate would be lowered, or the training ended, before the network has begun to extract.
    """
    waits = {"patience": train_config.patience or num_epochs + 1}
    if train_config.schedule == "plateau":
        waits["plateau_patience"] = train_config.plateau_patience
    for name, wait in waits.items():
        if num_epochs and wait <= num_epochs:
            raise ConfigError(
                f"train.{name}: expected more than the {num_epochs} draw.speaker_epochs, in which the network does not"
                f" learn to extract, got {wait}"
            )


def _validation(config: Config, train_set: DrawnTrials) -> StoredTrials | None:
    if config.valid_data is None:
        return None
    return StoredTrials(
        config.valid_data,
        config.fs,
        classes={speaker: number for number, speaker in enumerate(train_set.speakers)},
        max_seconds=config.valid_seconds,
        max_enrollment_seconds=config.valid_enrollment_seconds,
    )


def _give_clues(config: Config, extractor: nn.Module, train_set: DrawnTrials, valid_set: StoredTrials | None) -> None:
    """Give the data sets the embeddings of a network whose clues come from elsewhere.

    Raises:
        ConfigError: for a table that the network has no use for, or none where it needs one.
        DataDirError: for embeddings that are missing or of another size.
    """
    if bool(extractor.clue_dim) != (config.clue_table is not None):
        raise ConfigError(
            f"clue_table: expected one if, and only if, the extractor takes embeddings; it has clue_dim "
            f"{extractor.clue_dim}, and the table is {config.clue_table}"
        )
    if not extractor.clue_dim:
        return
    if set(config.draw.speeds) != {1.0}:
        raise ConfigError(
            f"draw.speeds: expected [1.0] beside clue_table, whose embeddings are of voices at their own speed, "
            f"got {list(config.draw.speeds)}"
        )
    train_set.clues = EmbeddingTable(config.clue_table, train_set.utterances, extractor.clue_dim)
    if valid_set is not None:
        path = config.valid_data / GIVEN_CLUE
        valid_set.clues = EmbeddingTable(path, valid_set.trials, extractor.clue_dim)


def _check_version(path: Path) -> None:
    """Refuse a model that another version of the toolkit wrote, before its settings are read.

    Raises:
        UserError: naming both versions.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected the folder of a trained extractor")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a YAML file: {' '.join(str(error).split())}") from error
    if not isinstance(settings, dict) or "extractor" not in settings:
        raise UserError(f"{path}: not the model of an extractor; expected the folder of a trained extractor")
    version = settings.get("format_version")
    if version != FORMAT_VERSION:
        raise UserError(
            f"{path}: expected format_version {FORMAT_VERSION}, found {version}; "
            "use the toolkit that wrote it, or train the model again"
        )
