"""A training at work: its state, its epochs, its checkpoints."""

from __future__ import annotations

import contextlib
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zspex_toolkit import registry
from zspex_toolkit.config import to_dict
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.train.average import WeightAverage
from zspex_toolkit.train.batches import Batch, BatchLoader, ItemSet, count_steps, plan_steps, plan_validation, share_of
from zspex_toolkit.train.checkpoint import Checkpoints, save_weights
from zspex_toolkit.train.clock import Clock
from zspex_toolkit.train.config import TrainConfig, check_unchanged
from zspex_toolkit.train.describe import describe_epoch, describe_means, describe_training
from zspex_toolkit.train.device import resolve_amp
from zspex_toolkit.train.forensics import Buffers, dump_step, names_of
from zspex_toolkit.train.history import History
from zspex_toolkit.train.lock import Hold
from zspex_toolkit.train.log import TrainLog, progress_bar
from zspex_toolkit.train.optimizer import build_optimizer, set_learning_rate
from zspex_toolkit.train.processes import Processes
from zspex_toolkit.train.progress import (
    EpochStatistics,
    Progress,
    get_random_state,
    seed_process,
    set_random_state,
)
from zspex_toolkit.train.signals import StopMark, StopSignals, TrainingInterrupted
from zspex_toolkit.train.step import Loss, Objective, StepOutcome, check_metric, compute_gradients
from zspex_toolkit.train.validate import validate


class Trainer:
    """Everything of a training that changes while it runs; :func:`zspex_toolkit.train.loop.train` is its front.

    Of several processes each has one, in the same state but for the random numbers; the one with the lock writes.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        train_set: ItemSet,
        valid_set: ItemSet | None,
        exp_dir: Path,
        config: TrainConfig,
        device: torch.device,
        log: TrainLog,
        signals: StopSignals,
        processes: Processes,
        hold: Hold | None,
    ):
        self.progress = Progress()
        self._model, self._device, self._config = model, device, config
        self._exp_dir, self._log, self._signals, self._processes, self._hold = exp_dir, log, signals, processes, hold
        self._train_loader = BatchLoader(train_set, config, device)
        self._valid_loader = BatchLoader(valid_set, config, device) if valid_set is not None else None
        self._sizes = {"train": len(train_set), "valid": len(valid_set) if valid_set is not None else 0}
        self._steps_per_epoch = count_steps(len(train_set), config)
        self._optimizer = build_optimizer(model, config, processes)
        self._schedule = registry.load("train.schedules", config.schedule)
        amps = processes.gather(resolve_amp(config.amp, device))
        self._amp = amps[0] if len(set(amps)) == 1 else "none"  # machines of several kinds: what all of them can
        self._objective = Objective(model, loss, device, self._amp, processes)
        self._average = WeightAverage(model, config.ema_decay) if config.ema_decay else None
        self._buffers = Buffers(model)
        self._checkpoints = Checkpoints(exp_dir / "checkpoints", config.keep_last)
        self._saved_at = time.monotonic()

    def run(self) -> str:
        """Train to the end.

        Returns:
            Why it ended: ``all epochs``, ``no progress`` or ``time is over``.
        """
        seed_process(self._config.seed, self._processes)
        known = (self._model, self._sizes, self._steps_per_epoch, self._device, self._config, self._processes)
        for line in describe_training(*known, self._amp):
            self._log(line)
        self._resume()
        self._clock = Clock(self._config.minutes, self.progress, self._processes, self._config.minutes_of)
        mark, history = StopMark(self._exp_dir, self.progress.global_step, self._processes), None
        with contextlib.ExitStack() as closing:
            if self._processes.is_main:
                # From here on weights and checkpoints change: killed, a longer training must not look finished.
                (self._exp_dir / "done").unlink(missing_ok=True)
                mark.remove()
                history = closing.enter_context(contextlib.closing(History(self._exp_dir, self.progress.epoch)))
            for loader in filter(None, (self._train_loader, self._valid_loader)):
                closing.callback(loader.close)
            try:
                reason = self._run_epochs(history)
            except TrainingInterrupted as interrupt:
                name = self._save()
                mark.leave(interrupt.signal_name, name, self.progress.global_step)
                self._log(f"stopped by {interrupt.signal_name}; start the same command again to go on from {name}")
                raise
        if self._processes.is_main:
            self._checkpoints.remove_partial()
        return reason

    def _run_epochs(self, history: History | None) -> str:
        while self.progress.epoch < self._config.num_epochs:
            if self._config.patience and self.progress.epochs_without_progress() >= self._config.patience:
                return "no progress"
            if self._clock.is_over() and not self.progress.step:
                return "time is over"
            self._train_epoch()
            self._finish_epoch(history)
        return "all epochs"

    def _train_epoch(self) -> None:
        progress, running = self.progress, self.progress.running
        steps = plan_steps(self._sizes["train"], self._config, progress.epoch)[progress.step :]
        shares = [[part for batch in step if len(part := self._share(batch))] for step in steps]
        loading = self._train_loader.load(progress.epoch, [part for step in shares for part in step])
        self._model.train()
        with progress_bar(f"epoch {progress.epoch + 1}", self._steps_per_epoch, progress.step) as bar:
            for step in shares:
                if self._clock.is_over():
                    break
                began = time.monotonic()
                batches = [next(loading) for _ in step]
                running.waited += time.monotonic() - began
                self._take_step(batches)
                running.seconds += time.monotonic() - began
                progress.step += 1
                progress.global_step += 1
                self._after_step()
                bar.update()

    def _share(self, batch: np.ndarray) -> np.ndarray:
        return share_of(batch, self._config, self._processes.rank, self._processes.count)

    def _take_step(self, batches: list[Batch]) -> None:
        config, progress = self._config, self.progress
        self._buffers.keep()
        random_state = get_random_state(self._device)
        set_learning_rate(self._optimizer, self._learning_rate(progress.global_step))
        self._optimizer.zero_grad(set_to_none=True)
        outcome = compute_gradients(self._objective, batches, config.clip_grad_norm)
        check_metric(outcome, config.best_metric[0])
        if not outcome.is_finite:
            return self._skip_step(batches, outcome, random_state)
        self._buffers.average(self._processes, sum(len(batch["ids"]) for batch in batches))
        self._optimizer.step()
        if self._average:
            self._average.update()
        progress.bad_in_a_row = 0
        progress.running.num_good_steps += 1
        progress.running.grad_norm_sum += outcome.grad_norm
        for statistics, num_items in outcome.statistics:
            progress.running.averages.add(statistics, num_items)

    def _skip_step(self, batches: list[Batch], outcome: StepOutcome, random_state: dict[str, Tensor]) -> None:
        progress = self.progress
        self._buffers.restore()
        progress.bad_in_a_row += 1
        progress.running.num_bad_steps += 1
        progress.running.num_bad_items += sum(num_items for _, num_items in outcome.statistics)
        has_bad_loss = not all(math.isfinite(values["loss"]) for values, _ in outcome.statistics)
        bad = [b for b, (s, _) in zip(batches, outcome.own, strict=True) if not math.isfinite(s["loss"])]
        asked = bad if has_bad_loss else batches  # of this process
        told = None
        if asked:
            step = {"batches": batches, "model": self._model.state_dict(), "random_state": random_state}
            # The one file that others than the main process write: they alone have these batches.
            name = f"{self._step_name()}{f'-process-{self._processes.rank + 1}' if self._processes.count > 1 else ''}"
            where = dump_step(self._exp_dir / "bad_batches", name, step)
            told = {"ids": [str(name) for batch in asked for name in batch["ids"]], "where": where}
        found = [one for one in self._processes.gather(told) if one]
        what, where = "the loss" if has_bad_loss else "the gradient", ", ".join(one["where"] for one in found)
        line = f"{self._step_name()}: {what} is not finite for one of: {names_of(found)}"
        self._log(f"{line}; step skipped, batch {where}")
        if progress.bad_in_a_row >= self._config.max_bad_steps:
            raise UserError(f"{self._exp_dir}: {progress.bad_in_a_row} bad steps in a row, giving up; {line}; {where}")

    def _step_name(self) -> str:
        return f"epoch-{self.progress.epoch + 1}-step-{self.progress.step + 1}"

    def _learning_rate(self, step: int) -> float:
        num_steps = self._clock.num_steps(step, self._steps_per_epoch * self._config.num_epochs)
        factor = self._schedule(step, num_steps, self.progress.metrics, self._config)
        return self._config.learning_rate * factor

    def _after_step(self) -> None:
        config, progress = self._config, self.progress
        if progress.step % config.log_every == 0:
            means = describe_means(progress.running.averages.means())
            self._log(f"epoch {progress.epoch + 1}, step {progress.step}/{self._steps_per_epoch}: {means}")
        due = config.checkpoint_minutes and time.monotonic() - self._saved_at >= 60 * config.checkpoint_minutes
        due = due or (config.checkpoint_steps and progress.step % config.checkpoint_steps == 0)
        if any(is_due for (is_due,) in self._clock.tick(bool(due))):
            self._save()
        self._check_signals()

    def _check_signals(self) -> None:
        self._signals.check(self._processes.gather)

    def _finish_epoch(self, history: History | None) -> None:
        progress, running = self.progress, self.progress.running
        began = time.monotonic()
        line = {"epoch": progress.epoch + 1, "train": running.averages.means(), "valid": None}
        line |= {"learning_rate": self._learning_rate(progress.global_step - 1), "amp": self._amp}
        with self._average.applied() if self._average else contextlib.nullcontext():
            if self._valid_loader:
                batches = plan_validation(self._sizes["valid"], self._config.batch_size)
                how = {"seed": self._config.seed, "log": self._log, "stop": self._check_signals}
                line["valid"] = validate(self._objective, self._valid_loader, batches, **how)
            name, direction = self._config.best_metric
            metric = (line["valid"] or line["train"]).get(name, float("nan"))
            line["best"] = progress.add_metric(metric if direction == "min" else -metric)
            for name in ("best", "last") if line["best"] else ("last",):
                self._save_weights(self._exp_dir / f"{name}.safetensors")
        line |= running.summary(validation_seconds=time.monotonic() - began)
        before = progress.seconds
        self._clock.tick()
        progress.seconds_to_finish = progress.seconds - before
        progress.epoch, progress.step, progress.running = progress.epoch + 1, 0, EpochStatistics()
        # History before the checkpoint: a kill between the two repeats the line, the other order would lose it.
        if history:
            history.add(line)
        self._save()
        self._log(describe_epoch(line, self._config))

    def _save_weights(self, path: Path) -> None:
        if self._hold:
            self._hold.check()
            save_weights(self._model.state_dict(), path)

    def _save(self) -> str:
        """Write a checkpoint and return its name; all processes must call it at the same step."""
        self._saved_at = time.monotonic()
        states = self._processes.gather(get_random_state(self._device))
        if not self._hold:
            return ""
        self._hold.check()
        state = {
            "settings": to_dict(self._config),
            "sizes": self._sizes,
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "average": self._average.state_dict() if self._average else None,
            "progress": self.progress.to_dict(),
            "random_state": states[0],
            "other_random_states": states[1:],
        }
        path = self._checkpoints.save(state, self.progress.epoch, self.progress.step)
        self._saved_at = time.monotonic()
        return path.name

    def _resume(self) -> None:
        """Go on from the newest whole checkpoint: the main process reads it for all."""
        processes = self._processes
        found = self._checkpoints.load_newest(self._log) if processes.is_main else None
        found = processes.broadcast(found)
        if found is None:
            return self._share_first_weights()
        state, path = found
        check_unchanged(state["settings"], self._config, path)
        if state["sizes"] != self._sizes:
            raise ConfigError(f"{path}: this training began with {state['sizes']} items, now there are {self._sizes}")
        self._load(state, path)
        self._log(f"going on from {path}: {self.progress.epoch} epochs and {self.progress.step} steps done")

    def _share_first_weights(self) -> None:
        if self._processes.count > 1:
            own = {name: value.cpu() for name, value in self._model.state_dict().items()}
            self._model.load_state_dict(self._processes.broadcast(own))

    def _load(self, state: dict[str, Any], path: Path) -> None:
        try:
            self._model.load_state_dict(state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise ConfigError(f"{path}: not of this network: {' '.join(str(error).split()):.300}") from error
        if self._average:
            self._average.load_state_dict(state["average"])
        self.progress = Progress.from_dict(state["progress"])
        states = [state["random_state"], *state.get("other_random_states", [])]
        if self._processes.rank < len(states):
            set_random_state(states[self._processes.rank], self._device)
        else:
            seed_process(self._config.seed, self._processes, self.progress.global_step)
