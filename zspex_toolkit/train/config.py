"""Settings of the training loop, and which of them may change when a training is continued."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zspex_toolkit.config import to_dict
from zspex_toolkit.errors import ConfigError


@dataclass(frozen=True)
class TrainConfig:
    """How to train; what to train (network, loss, data) are arguments of :func:`zspex_toolkit.train.loop.train`.

    Raises:
        ConfigError: for a value out of its range.
    """

    num_epochs: int = 100  # passes over the training set
    minutes: float = 0.0  # end after so much time at the latest, schedules follow the clock; 0: after num_epochs
    minutes_of: str = "clock"  # or processor: what minutes are counted by
    batch_size: int = 64  # items of one forward and backward pass, of all processes together
    accumulate: int = 1  # batches of one step of the optimiser: the effective batch is batch_size x accumulate
    learning_rate: float = 1e-3  # before schedule and learning_rate_scale
    learning_rate_scale: dict[str, float] = field(default_factory=dict)  # prefix of parameter names: factor
    optimizer: str = "adam"  # adam, adamw, muon or sgd
    betas: tuple[float, float] = (0.95, 0.999)  # of adam, adamw and muon
    eps: float = 1e-8  # of adam, adamw and muon
    momentum: float = 0.9  # of sgd
    matrix_momentum: float = 0.95  # of muon
    matrix_learning_rate_scale: float = 1.0  # of muon: learning rate of matrices over that of all else
    weight_decay: float = 0.0  # decoupled with adamw and muon, L2 with adam and sgd
    schedule: str = "constant"  # constant, plateau, cosine, warmup_cosine or warmup_stable_decay
    warmup_steps: int = 0  # steps of a schedule with warm-up that lead linearly from 0 to the learning rate
    decay_share: float = 0.2  # of warmup_stable_decay: share of all steps, the last ones, that lead down
    min_learning_rate: float = 0.0  # where cosine and warmup_stable_decay end and plateau stops
    plateau_factor: float = 0.5  # plateau multiplies the learning rate by this ...
    plateau_patience: int = 3  # ... after more than this many epochs without a better metric
    clip_grad_norm: float = 0.0  # largest norm of the gradient; 0: no clipping
    amp: str = "auto"  # mixed precision: bf16, none, or auto: bf16 where the device multiplies it
    ema_decay: float = (
        0.0  # decay of the exponential moving average of the weights, which is validated and saved; 0: off
    )
    best_metric: tuple[str, str] = ("loss", "min")  # statistic of the validation that picks the best model, min or max
    patience: int = 0  # stop after this many epochs without a better metric; 0: never
    keep_last: int = 2  # checkpoints of whole epochs to keep
    checkpoint_minutes: float = 10.0  # minutes between checkpoints in the middle of an epoch; 0: none
    checkpoint_steps: int = 0  # steps between checkpoints in the middle of an epoch; 0: none
    log_every: int = 100  # steps between lines in train.log
    max_bad_steps: int = 10  # stop after this many steps in a row with a non-finite loss or gradient
    drop_last: bool = False  # leave out the last batch of an epoch if it is smaller than the others
    num_workers: int = 0  # processes that load data; 0: load in the training process
    num_threads: int = 0  # CPU threads; 0: leave as it is
    seed: int = 0  # of the order of the items, dropout and the like
    dry_run: bool = False  # one batch of everything, the largest first, then stop and leave nothing

    def __post_init__(self) -> None:
        for name in ("num_epochs", "batch_size", "accumulate", "keep_last", "log_every", "max_bad_steps"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        self._require("learning_rate", self.learning_rate > 0, "a number above 0")
        self._require(
            "learning_rate_scale", all(f >= 0 for f in self.learning_rate_scale.values()), "factors of 0 or more"
        )
        self._require("betas", all(0 <= beta < 1 for beta in self.betas), "two numbers in [0, 1)")
        self._require("eps", self.eps > 0, "a number above 0")
        self._require("matrix_momentum", 0 <= self.matrix_momentum < 1, "a number in [0, 1)")
        self._require("matrix_learning_rate_scale", self.matrix_learning_rate_scale > 0, "a number above 0")
        self._require("momentum", 0 <= self.momentum < 1, "a number in [0, 1)")
        self._require("amp", self.amp in ("auto", "none", "bf16"), "auto, none or bf16")
        self._require("minutes_of", self.minutes_of in ("clock", "processor"), "clock or processor")
        self._require("ema_decay", 0 <= self.ema_decay < 1, "a number in [0, 1)")
        self._require("plateau_factor", 0 < self.plateau_factor < 1, "a number between 0 and 1")
        self._require("decay_share", 0 <= self.decay_share <= 1, "a number from 0 to 1")
        self._require("best_metric", self.best_metric[1] in ("min", "max"), "a name and min or max")
        for name in (
            "minutes",
            "warmup_steps",
            "min_learning_rate",
            "plateau_patience",
            "clip_grad_norm",
            "weight_decay",
        ):
            self._require(name, getattr(self, name) >= 0, "at least 0")
        for name in ("patience", "checkpoint_minutes", "checkpoint_steps", "num_workers", "num_threads"):
            self._require(name, getattr(self, name) >= 0, "at least 0")

    def _require(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise ConfigError(f"{name}: expected {expected}, got {getattr(self, name)}")


# These change nothing that was computed before the change.
MAY_CHANGE = (
    *("num_epochs", "minutes", "patience", "keep_last", "checkpoint_minutes", "checkpoint_steps", "log_every"),
    *("max_bad_steps", "num_workers", "num_threads", "dry_run"),
)


def check_unchanged(saved: dict[str, Any], config: TrainConfig, path: Path) -> None:
    """Refuse to continue under settings other than those of the checkpoint (``MAY_CHANGE`` apart).

    Args:
        saved: ``to_dict`` of the earlier settings; one that did not exist then counts as its default.
        path: the file with the earlier settings, for the message.

    Raises:
        ConfigError: naming the settings that differ.
    """
    before, now = {**to_dict(TrainConfig()), **saved}, to_dict(config)
    names = [item.name for item in dataclasses.fields(TrainConfig) if item.name not in MAY_CHANGE]
    changed = [f"{name} {before[name]} -> {now[name]}" for name in names if before[name] != now[name]]
    if changed:
        raise ConfigError(
            f"{path}: this training began with other settings: {', '.join(changed)}; "
            "set them back to continue it, or train into another directory"
        )
