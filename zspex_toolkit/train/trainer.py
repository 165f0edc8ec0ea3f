"""A training at work: its state, its epochs, its checkpoints."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zspex_toolkit import registry
from zspex_toolkit.config import to_dict
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.train.average import WeightAverage
from zspex_toolkit.train.batches import Batch, BatchLoader, ItemSet, plan_steps, plan_validation
from zspex_toolkit.train.checkpoint import Checkpoints, save_weights
from zspex_toolkit.train.config import TrainConfig, check_unchanged
from zspex_toolkit.train.forensics import Buffers, dump_batches, names_of
from zspex_toolkit.train.history import History
from zspex_toolkit.train.log import TrainLog, progress_bar
from zspex_toolkit.train.optimizer import build_optimizer, set_learning_rate
from zspex_toolkit.train.progress import EpochStatistics, Progress
from zspex_toolkit.train.signals import StopSignals, TrainingInterrupted
from zspex_toolkit.train.step import Loss, StepOutcome, compute_gradients
from zspex_toolkit.train.validate import validate


class Trainer:
    """Everything of a training that changes while it runs; :func:`zspex_toolkit.train.loop.train` is its front."""

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
    ):
        self.progress = Progress()
        self._model, self._loss, self._device, self._config = model, loss, device, config
        self._exp_dir, self._log, self._signals = exp_dir, log, signals
        self._train_loader = BatchLoader(train_set, config, device)
        self._valid_loader = BatchLoader(valid_set, config, device) if valid_set is not None else None
        self._sizes = {"train": len(train_set), "valid": len(valid_set) if valid_set is not None else 0}
        self._optimizer = build_optimizer(model, config)
        self._schedule = registry.load("train.schedules", config.schedule)
        self._average = WeightAverage(model, config.ema_decay) if config.ema_decay else None
        self._buffers = Buffers(model)
        self._checkpoints = Checkpoints(exp_dir / "checkpoints", config.keep_last)
        self._steps_per_epoch = len(plan_steps(len(train_set), config, 0))
        self._saved_at = time.monotonic()

    def run(self) -> str:
        """Train to the end.

        Returns:
            Why it ended: ``all epochs`` or ``no progress``.
        """
        torch.manual_seed(self._config.seed)
        self._describe()
        self._resume()
        history = History(self._exp_dir, self.progress.epoch)
        with contextlib.closing(history):
            try:
                reason = self._run_epochs(history)
            except TrainingInterrupted as interrupt:
                path = self._save()
                self._log(f"stopped by {interrupt.signal_name}; start the same command again to go on from {path.name}")
                raise
        self._checkpoints.remove_partial()
        return reason

    def _run_epochs(self, history: History) -> str:
        while self.progress.epoch < self._config.num_epochs:
            if self._config.patience and self.progress.epochs_without_progress() >= self._config.patience:
                return "no progress"
            self._train_epoch()
            self._finish_epoch(history)
        return "all epochs"

    def _describe(self) -> None:
        config = self._config
        parameters = list(self._model.parameters())
        trainable = sum(p.numel() for p in parameters if p.requires_grad)
        effective = config.batch_size * config.accumulate
        steps = self._steps_per_epoch
        self._log(f"network: {sum(p.numel() for p in parameters):,} parameters, {trainable:,} of them trained")
        self._log(f"data: {self._sizes['train']:,} training items, {self._sizes['valid']:,} validation items")
        self._log(
            f"effective batch: {config.batch_size} x {config.accumulate} = {effective} items; {steps:,} steps an epoch "
            f"x {config.num_epochs} epochs, {steps * config.num_epochs:,} steps"
        )
        self._log(
            f"{config.optimizer}, learning rate {config.learning_rate:g} ({config.schedule}), amp {config.amp}; "
            f"on {self._device}, {torch.get_num_threads()} thread(s) and {config.num_workers} data process(es)"
        )

    def _train_epoch(self) -> None:
        progress, running = self.progress, self.progress.running
        steps = plan_steps(self._sizes["train"], self._config, progress.epoch)[progress.step :]
        loading = self._train_loader.load(progress.epoch, [batch for step in steps for batch in step])
        self._model.train()
        began = time.monotonic()
        with progress_bar(f"epoch {progress.epoch + 1}", self._steps_per_epoch, progress.step) as bar:
            for step in steps:
                asked = time.monotonic()
                batches = [next(loading) for _ in step]
                now = time.monotonic()
                running.waited += now - asked
                self._take_step(batches)
                progress.step += 1
                progress.global_step += 1
                running.seconds += time.monotonic() - began
                began = time.monotonic()
                self._report_step()
                self._save_in_epoch()
                self._signals.check()
                bar.update()

    def _take_step(self, batches: list[Batch]) -> None:
        config, progress = self._config, self.progress
        self._buffers.keep()
        rng_state = torch.get_rng_state()
        set_learning_rate(self._optimizer, self._learning_rate())
        self._optimizer.zero_grad(set_to_none=True)
        outcome = compute_gradients(
            self._model, self._loss, batches, self._device, amp=config.amp, clip_grad_norm=config.clip_grad_norm
        )
        self._check_metric(outcome)
        if not outcome.is_finite:
            return self._skip_step(batches, outcome, rng_state)
        self._optimizer.step()
        if self._average:
            self._average.update()
        progress.bad_in_a_row = 0
        progress.running.num_good_steps += 1
        progress.running.grad_norm_sum += outcome.grad_norm
        for statistics, num_items in outcome.statistics:
            progress.running.averages.add(statistics, num_items)

    def _skip_step(self, batches: list[Batch], outcome: StepOutcome, rng_state: torch.Tensor) -> None:
        progress = self.progress
        self._buffers.restore()
        progress.bad_in_a_row += 1
        progress.running.num_bad_steps += 1
        progress.running.num_bad_items += sum(len(batch["ids"]) for batch in batches)
        values = {"grad_norm": outcome.grad_norm, "loss": max((s["loss"] for s, _ in outcome.statistics), key=abs)}
        name = f"epoch-{progress.epoch + 1}-step-{progress.step + 1}"
        where = dump_batches(self._exp_dir, name, batches, self._model, rng_state, values)
        self._log(
            f"{name}: loss {values['loss']:g}, gradient norm {values['grad_norm']:g}: step skipped; "
            f"batch {where}; utterances: {names_of(batches)}"
        )
        if progress.bad_in_a_row >= self._config.max_bad_steps:
            raise UserError(
                f"{self._exp_dir}: {progress.bad_in_a_row} steps in a row up to {name} had a loss or gradient that is "
                f"not finite; the batches are in {self._exp_dir / 'bad_batches'}; look at these utterances first: "
                f"{names_of(batches)}"
            )

    def _learning_rate(self) -> float:
        num_steps = self._steps_per_epoch * self._config.num_epochs
        factor = self._schedule(self.progress.global_step, num_steps, self.progress.metrics, self._config)
        return self._config.learning_rate * factor

    def _check_metric(self, outcome: StepOutcome) -> None:
        known = outcome.statistics[0][0]
        if self._config.best_metric[0] not in known:
            raise ConfigError(f"best_metric: expected one of {', '.join(known)}, got '{self._config.best_metric[0]}'")

    def _report_step(self) -> None:
        progress, running = self.progress, self.progress.running
        if progress.step % self._config.log_every == 0:
            means = ", ".join(f"{name} {value:.4g}" for name, value in running.averages.means().items())
            self._log(f"epoch {progress.epoch + 1}, step {progress.step}/{self._steps_per_epoch}: {means}")

    def _save_in_epoch(self) -> None:
        config, step = self._config, self.progress.step
        due = config.checkpoint_minutes and time.monotonic() - self._saved_at >= 60 * config.checkpoint_minutes
        if due or (config.checkpoint_steps and step % config.checkpoint_steps == 0):
            self._save()

    def _finish_epoch(self, history: History) -> None:
        progress, config, running = self.progress, self._config, self.progress.running
        with self._average.applied() if self._average else contextlib.nullcontext():
            valid = self._validate()
            name, direction = config.best_metric
            metric = (valid or running.averages.means()).get(name, float("nan"))
            learning_rate = self._learning_rate()
            is_best = progress.add_metric(metric if direction == "min" else -metric)
            if is_best:
                save_weights(self._model.state_dict(), self._exp_dir / "best.safetensors")
            save_weights(self._model.state_dict(), self._exp_dir / "last.safetensors")
        progress.epoch, progress.step, progress.running = progress.epoch + 1, 0, EpochStatistics()
        line = {
            "epoch": progress.epoch,
            "train": running.averages.means(),
            "valid": valid,
            "learning_rate": learning_rate,
            "seconds": round(running.seconds, 3),
            "data_share": round(running.waited / max(running.seconds, 1e-9), 4),
            "grad_norm": running.grad_norm_sum / max(running.num_good_steps, 1),
            "bad_steps": running.num_bad_steps,
            "bad_items": running.num_bad_items,
            "best": is_best,
        }
        history.add(line)
        self._save()
        self._report_epoch(line)

    def _validate(self) -> dict[str, float] | None:
        if self._valid_loader is None:
            return None
        config = self._config
        return validate(
            self._model,
            self._loss,
            self._valid_loader,
            plan_validation(self._sizes["valid"], config.batch_size),
            device=self._device,
            amp=config.amp,
            seed=config.seed,
            log=self._log,
            stop=self._signals.check,
        )

    def _report_epoch(self, line: dict[str, Any]) -> None:
        parts = [f"epoch {line['epoch']}/{self._config.num_epochs}"]
        for name in ("train", "valid"):
            if line[name]:
                parts.append(name + " " + ", ".join(f"{key} {value:.4g}" for key, value in line[name].items()))
        parts.append(f"lr {line['learning_rate']:.3g}, {line['seconds']:.1f} s, {line['data_share']:.0%} for data")
        if line["bad_steps"]:
            parts.append(f"{line['bad_steps']} steps ({line['bad_items']} items) skipped as not finite")
        self._log("; ".join(parts) + ("; best so far" if line["best"] else ""))

    def _save(self) -> Path:
        self._saved_at = time.monotonic()
        state = {
            "settings": to_dict(self._config),
            "sizes": self._sizes,
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "average": self._average.state_dict() if self._average else {},
            "progress": self.progress.to_dict(),
            "rng": torch.get_rng_state(),
            "rng_cuda": torch.cuda.get_rng_state(self._device) if self._device.type == "cuda" else None,
        }
        return self._checkpoints.save(state, self.progress.epoch, self.progress.step)

    def _resume(self) -> None:
        found = self._checkpoints.load_newest(self._log)
        if found is None:
            return
        state, path = found
        check_unchanged(state["settings"], self._config, path)
        if state["sizes"] != self._sizes:
            raise ConfigError(f"{path}: this training began with {state['sizes']} items, now there are {self._sizes}")
        try:
            self._model.load_state_dict(state["model"])
        except RuntimeError as error:
            raise ConfigError(f"{path}: not of this network: {' '.join(str(error).split()):.300}") from error
        self._optimizer.load_state_dict(state["optimizer"])
        if self._average:
            self._average.load_state_dict(state["average"])
        self.progress = Progress.from_dict(state["progress"])
        torch.set_rng_state(state["rng"])
        if state["rng_cuda"] is not None and self._device.type == "cuda":
            torch.cuda.set_rng_state(state["rng_cuda"], self._device)
        self._log(f"going on from {path}: {self.progress.epoch} epochs and {self.progress.step} steps done")
