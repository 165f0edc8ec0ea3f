"""One finished training, read from its folder: what it was done with and how it went."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from zspex_toolkit.train.history import read_history


@dataclass(frozen=True)
class Training:
    """What the folder of an experiment tells; empty where a file is missing."""

    history: list[dict[str, Any]]  # a line per epoch
    settings: dict[str, Any]  # its config.yaml
    config_hash: str | None  # of its config.yaml
    commit: str | None  # of the toolkit that trained it to the end

    @property
    def loop(self) -> dict[str, Any]:
        """Settings of the training loop."""
        return self.settings.get("train", {})

    @property
    def effective_batch(self) -> int | None:
        """Items per step of the optimiser."""
        return self.loop["batch_size"] * self.loop.get("accumulate", 1) if "batch_size" in self.loop else None

    @property
    def amp(self) -> str | None:
        """The mixed precision that was taken: ``bf16``, ``none``, or both where the machine changed."""
        taken = dict.fromkeys(epoch.get("amp", self.loop.get("amp")) for epoch in self.history)
        return ", ".join(one for one in taken if one) or None

    @property
    def seconds(self) -> float | None:
        """Time spent in all epochs together."""
        return sum(epoch.get("seconds", 0.0) for epoch in self.history) if self.history else None

    @property
    def terms(self) -> list[str]:
        """Statistics that are single losses (``loss_<name>``), if the loss is a sum of several."""
        names = dict.fromkeys(name for epoch in self.history for name in epoch["train"] or {} if name[:5] == "loss_")
        return list(names) if len(names) > 1 else []

    def curve(self, part: str, statistic: str) -> list[float]:
        """``statistic`` of ``part`` (``train`` or ``valid``) after every epoch; NaN where it was not finite."""
        values = [(epoch[part] or {}).get(statistic) for epoch in self.history]
        return [math.nan if value is None else value for value in values]

    def tells(self, statistic: str, parts: tuple[str, ...] = ("train", "valid")) -> bool:
        """Whether any epoch has this statistic of one of the parts, so that there is something to draw."""
        return any(math.isfinite(value) for part in parts for value in self.curve(part, statistic))

    def last(self, part: str, statistic: str) -> float | None:
        """:func:`curve` at its end: that of the weights that are used. None if it was not finite or there is none."""
        value = self.curve(part, statistic)[-1] if self.history else math.nan
        return value if math.isfinite(value) else None


def read_training(folder: Path) -> Training:
    """The training whose folder is ``folder``.

    Raises:
        DataDirError: if its history is broken.
    """
    config, done = folder / "config.yaml", folder / "done"
    text = config.read_bytes() if config.exists() else b""
    return Training(
        history=read_history(folder),
        settings=yaml.safe_load(text) or {},
        config_hash=hashlib.sha256(text).hexdigest()[:12] if text else None,
        commit=json.loads(done.read_text(encoding="utf-8")).get("commit") if done.exists() else None,
    )
