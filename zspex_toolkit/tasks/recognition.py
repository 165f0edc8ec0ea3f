"""Train a speech recogniser: log probabilities of tokens by CTC."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zspex_toolkit.config import check_options, typed_options
from zspex_toolkit.data.transcribed import TranscribedBatches, check_batches, fitting
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.registry import load
from zspex_toolkit.tasks.experiment import load_weights, read_spec, require_finished, start_experiment
from zspex_toolkit.tasks.feature_statistics import set_global_statistics
from zspex_toolkit.text.normalise import read_transcripts, require_words
from zspex_toolkit.text.tokens import TOKEN_FILE, UNKNOWN, Tokens, keep_with
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.device import resolve_device
from zspex_toolkit.train.loop import is_finished, train
from zspex_toolkit.train.processes import is_main_process
from zspex_toolkit.train.step import explained_memory, to_device


def default_train() -> TrainConfig:
    """A batch is an item here; Adam as in the Conformer's paper."""
    return TrainConfig(batch_size=1, optimizer="adamw", betas=(0.9, 0.98), clip_grad_norm=5.0, schedule="warmup_cosine")


@dataclass(frozen=True)
class Config:
    """Settings of train_recogniser."""

    data: Path  # data directory of the training utterances, with text
    tokens: Path  # token model, which train_tokens wrote; a copy is kept in exp_dir
    exp_dir: Path  # folder of the experiment
    valid_data: Path | None = None  # data directory of the validation, with text
    recogniser: str = "conformer_ctc"  # file under models/recognisers/
    recogniser_options: dict[str, Any] = field(default_factory=dict)  # arguments of its constructor
    fs: int = 16000  # rate of all audio in Hz
    batch_seconds: float = 100.0  # audio of a batch at most, padding included
    speeds: tuple[float, ...] = (0.9, 1.0, 1.1)  # each utterance is played at one of these, drawn in each epoch
    intermediate_weight: float = 0.3  # share of the loss of intermediate_blocks, where the recogniser has some
    device: str = "auto"  # auto, cpu or cuda:N
    train: TrainConfig = field(
        default_factory=default_train
    )  # the loop; its batch_size counts batches of batch_seconds

    def __post_init__(self):
        check_batches(self.batch_seconds, self.speeds)
        if not 0 <= self.intermediate_weight < 1:
            raise ConfigError(f"intermediate_weight: expected a number in [0, 1), got {self.intermediate_weight}")


@dataclass(frozen=True)
class RecogniserSpec:
    """What inference needs to build the network again (model.yaml)."""

    recogniser: str
    recogniser_options: dict[str, Any]
    fs: int
    num_tokens: int


class CtcLoss:
    """Mean over utterances of the negative log probability of their tokens, all alignments together.

    Args:
        intermediate_weight: share of the loss of the blocks on the way.

    Reference: Graves et al., "Connectionist temporal classification", ICML 2006.
    """

    def __init__(self, intermediate_weight: float = 0.0):
        self._weight = intermediate_weight

    def __call__(self, model: nn.Module, batch: Mapping[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        found = model(batch["waveforms"], batch["num_samples"])
        last = self._ctc(found.log_probs, found.num_frames, batch)
        if not found.intermediate:
            return last, {"loss_ctc": last.detach()}
        on_the_way = sum(self._ctc(scores, found.num_frames, batch) for scores in found.intermediate)
        on_the_way = on_the_way / len(found.intermediate)
        return (1 - self._weight) * last + self._weight * on_the_way, {"loss_ctc": last.detach()}

    @staticmethod
    def _ctc(log_probs: Tensor, num_frames: Tensor, batch: Mapping[str, Any]) -> Tensor:
        lengths = (num_frames, batch["num_tokens"])
        total = functional.ctc_loss(
            log_probs.transpose(0, 1), batch["tokens"], *lengths, blank=UNKNOWN, reduction="sum"
        )
        return total / len(batch["ids"])


def build_recogniser(spec: RecogniserSpec) -> nn.Module:
    """The network, untrained.

    Raises:
        ConfigError: for an unknown network or option.
    """
    constructor = load("models.recognisers", spec.recogniser)
    check_options(constructor, spec.recogniser_options, "recogniser_options")
    options = typed_options(constructor, spec.recogniser_options, "recogniser_options")
    return constructor(spec.num_tokens, fs=spec.fs, **options)


def load_recogniser(exp_dir: Path) -> tuple[RecogniserSpec, Tokens, nn.Module]:
    """A trained recogniser in evaluation mode with its tokens, from its experiment alone.

    Raises:
        UserError: if the experiment is missing, unfinished or broken.
    """
    spec = read_spec(RecogniserSpec, exp_dir)
    tokens = Tokens(Path(exp_dir) / TOKEN_FILE)
    if len(tokens) != spec.num_tokens:
        raise ConfigError(
            f"{tokens.path}: expected the {spec.num_tokens} tokens of {exp_dir}/model.yaml, found {len(tokens)}"
        )
    network = build_recogniser(spec)
    last = require_finished(exp_dir)
    best = last.with_name("best.safetensors")
    load_weights(network, best if best.exists() else last)
    return spec, tokens, network.eval().requires_grad_(False)


def train_recogniser(config: Config) -> Path:
    """Train, or go on training, and return the experiment's folder."""
    tokens = Tokens(config.tokens)
    spec = RecogniserSpec(config.recogniser, config.recogniser_options, config.fs, len(tokens))
    torch.manual_seed(config.train.seed)
    model = build_recogniser(spec)
    train_set = _batches(config, config.data, tokens, model, speeds=config.speeds, shuffle=True)
    valid_set = None
    if config.valid_data is not None:
        valid_set = _batches(config, config.valid_data, tokens, model, speeds=(1.0,), shuffle=False)
    loss = CtcLoss(config.intermediate_weight)
    if not config.train.dry_run and is_main_process():
        keep_with(config.exp_dir, tokens)
    start_experiment(config.exp_dir, config, spec)
    if not config.train.dry_run and not is_finished(config.exp_dir, config.train):
        set_global_statistics(model, train_set)
        try_longest(model, loss, train_set, config.device)
    train(model, loss, train_set, valid_set, config.exp_dir, config.train, config.device)
    return config.exp_dir


def try_longest(model: nn.Module, loss: CtcLoss, batches: TranscribedBatches, device: str) -> None:
    """Go forward and back once with the largest batch, so that memory ends in the first minute or not at all.

    The network stays as it was.

    Raises:
        UserError: if a GPU has not enough memory for it.
    """
    largest = max(range(len(batches)), key=batches.size)
    where = resolve_device(device)
    trial = copy.deepcopy(model).to(where).train()
    batch = to_device(batches.collate([batches.get(0, largest)]), where)
    with explained_memory(batch, where), torch.random.fork_rng([where] if where.type == "cuda" else []):
        value, _ = loss(trial, batch)
        value.backward()
    if is_main_process():
        seconds = batch["waveforms"].numel() / batches.fs
        print(f"longest batch: {len(batch['ids'])} utterances, {seconds:.0f} s, loss {value.item():.4g}", flush=True)


def _batches(
    config: Config, data: Path, tokens: Tokens, model: nn.Module, *, speeds: tuple[float, ...], shuffle: bool
) -> TranscribedBatches:
    waveforms = Waveforms(data, config.fs)
    numbers = encoded(data, list(waveforms.utterances), tokens)
    lengths = waveforms.utt2num_samples()
    num_samples = {utt: lengths[utt] for utt in waveforms.utterances}
    kept = fitting(num_samples, numbers, model.num_output_frames, fastest=max(speeds))
    if not kept:
        raise DataDirError(f"{data}: expected utterances longer than their tokens, found none of {len(num_samples)}")
    if is_main_process():
        print(f"{data}: {len(kept):,} utterances, {sum(kept.values()) / config.fs / 3600:.2f} hours", flush=True)
    if len(kept) < len(num_samples) and is_main_process():
        short = next(utt for utt in num_samples if utt not in kept)
        print(
            f"{data}: {len(num_samples) - len(kept):,} utterances left out that have more tokens than frames, such as "
            f"'{short}'",
            flush=True,
        )
    return TranscribedBatches(
        waveforms,
        kept,
        numbers,
        max_seconds=config.batch_seconds,
        speeds=speeds,
        shuffle=shuffle,
        seed=config.train.seed,
    )


def encoded(data: Path, utterances: list[str], tokens: Tokens) -> dict[str, list[int]]:
    """Token numbers of each utterance's transcript.

    Raises:
        DataDirError: if an utterance has no words, or a character that is none of the tokens.
    """
    transcripts = read_transcripts(data / "text")
    require_words(transcripts, utterances, data / "text")
    numbers = {utt: tokens.encode(transcripts[utt]) for utt in utterances}
    foreign = [utt for utt, row in numbers.items() if UNKNOWN in row]
    if foreign:
        characters = tokens.unknown_characters(transcripts[foreign[0]])
        raise DataDirError(
            f"{data}/text: expected characters of the token model {tokens.path}, found '{characters}' in "
            f"'{foreign[0]}', and others in {len(foreign)} utterances in all; train tokens on a text that has them"
        )
    return numbers
