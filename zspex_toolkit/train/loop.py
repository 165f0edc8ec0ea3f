"""The one training loop of all tasks."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import torch
from torch import nn

from zspex_toolkit.config import to_dict
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.revision import current_commit
from zspex_toolkit.train.batches import ItemSet
from zspex_toolkit.train.checkpoint import remove_leftovers
from zspex_toolkit.train.config import TrainConfig, check_unchanged
from zspex_toolkit.train.device import resolve_device
from zspex_toolkit.train.dry_run import dry_run
from zspex_toolkit.train.lock import lock
from zspex_toolkit.train.log import TrainLog
from zspex_toolkit.train.processes import Processes, is_main_process, joined
from zspex_toolkit.train.signals import StopSignals
from zspex_toolkit.train.step import Loss
from zspex_toolkit.train.trainer import Trainer


def train(
    model: nn.Module,
    loss: Loss,
    train_set: ItemSet,
    valid_set: ItemSet | None,
    exp_dir: str | Path,
    config: TrainConfig,
    device: str | torch.device = "auto",
) -> Path | None:
    """Train a network, or go on where an earlier call in ``exp_dir`` was ended; a finished training returns at once.

    Started by torchrun, all its processes call this with the same arguments and share the work.

    Args:
        model: all parameters to train are in it; those that require no gradient stay as they are. Build it after
            ``torch.manual_seed``: only what follows depends on ``config.seed``. It ends with the last weights.
        loss: ``loss(model, batch)`` gives a scalar, the mean over the items of the batch, and a dict of further
            means to report.
        train_set: data to learn from; see :class:`ItemSet`.
        valid_set: data that picks the best epoch, always asked for its epoch 0; without it the training loss does.
        exp_dir: gets history.jsonl, train.log, tensorboard/, checkpoints/, best.safetensors, last.safetensors, done.
        config: how to train.
        device: auto, cpu, cuda or cuda:N.

    Returns:
        Path of the best weights (safetensors); None after a dry run.

    Raises:
        UserError: if another training is at work in ``exp_dir``, every checkpoint is broken, nothing can be saved, an
            item fails or ``max_bad_steps`` steps in a row were not finite.
        ConfigError: if settings do not fit the machine, the network or the checkpoint.
        TrainingInterrupted: on SIGTERM or SIGUSR1 to any of its processes, after saving; ends the process with status
            75. The file ``stopped`` is there until the training goes on: torchrun has no such status.
    """
    assert not (isinstance(loss, nn.Module) and any(True for _ in loss.parameters())), (
        "parameters of the loss would stay as they are; put them into the network"
    )
    device = resolve_device(device)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # else pinned memory would be tied to the first GPU
    exp_dir = Path(exp_dir)
    if config.num_threads:
        torch.set_num_threads(config.num_threads)
    for name, items in (("training", train_set), ("validation", valid_set)):
        if items is not None and len(items) == 0:
            raise UserError(f"the {name} set is empty")
    if config.dry_run:
        if is_main_process():
            with TrainLog(None) as log:
                dry_run(model.to(device), loss, train_set, valid_set, config, device, log)
        return None
    with joined(device) as processes, StopSignals() as signals, contextlib.ExitStack() as held:
        if config.batch_size < processes.count:
            raise ConfigError(
                f"batch_size: expected an item or more for each of the {processes.count} processes, "
                f"got {config.batch_size} for all together"
            )
        hold = None
        if processes.is_main:
            exp_dir.mkdir(parents=True, exist_ok=True)
            hold = held.enter_context(lock(exp_dir))
        with TrainLog(exp_dir / "train.log") as log:
            if _is_to_do(exp_dir, config, processes, log):
                model = model.to(device)
                commit = current_commit()  # of the code that is loaded now; the files may change during the training
                trainer = Trainer(
                    model, loss, train_set, valid_set, exp_dir, config, device, log, signals, processes, hold
                )
                reason = trainer.run()
                if processes.is_main:
                    done = {"epochs": trainer.progress.epoch, "reason": reason, "settings": to_dict(config)}
                    write_json(exp_dir / "done", {**done, "commit": commit})
                log(f"finished after {trainer.progress.epoch} epochs ({reason})")
    return exp_dir / "best.safetensors"


def _is_to_do(exp_dir: Path, config: TrainConfig, processes: Processes, log: TrainLog) -> bool:
    """Whether there is something left to train: the main process looks for all."""
    finished = None
    if processes.is_main:
        remove_leftovers(exp_dir)
        finished = is_finished(exp_dir, config)
    finished = processes.gather(finished)[0]
    if finished:
        log(f"{exp_dir}: already trained")
    return not finished


def is_finished(exp_dir: Path, config: TrainConfig) -> bool:
    """Whether ``exp_dir`` has been trained to the end under these settings.

    Raises:
        ConfigError: if it was under others.
    """
    path = exp_dir / "done"
    if not path.exists():
        return False
    done = json.loads(path.read_text(encoding="utf-8"))
    check_unchanged(done["settings"], config, path)
    if done["reason"] == "time is over" and config.minutes:
        return config.minutes <= done["settings"]["minutes"] or done["epochs"] >= config.num_epochs
    if done["reason"] == "no progress":
        return done["settings"]["patience"] == config.patience
    return done["epochs"] >= config.num_epochs
