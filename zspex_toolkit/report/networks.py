"""The trained de-mixing networks of an experiment: what each was trained for, with what, and how its error fell."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.report.paper_figures import paper_order
from zspex_toolkit.report.scores import Score, read_history

_FOLDER = re.compile(r"demix_(?P<given>e1|e2|both)_(?P<condition>snr_all|[^_]+)_(?P<function>\w+)")


@dataclass(frozen=True)
class Network:
    """One folder ``demix_<given>_<condition>_<function>``."""

    folder: str
    given: str  # `e1`, `e2`, or `both`: trained for either direction
    condition: str
    function: str
    history: list[dict[str, Any]]  # a line per epoch; empty where there is no history.jsonl
    settings: dict[str, Any]  # its config.yaml
    scores: tuple[Score, ...]

    @property
    def column(self) -> float | str:
        """SNR in dB it was trained at, microphone, or ``all SNRs``."""
        if self.condition == "snr_all":
            return "all SNRs"
        return float(self.condition[3:]) if self.condition.startswith("snr") else self.condition

    @property
    def effective_batch(self) -> int | None:
        """Mixtures per step of the optimiser; None without a config.yaml."""
        train = self.settings.get("train", {})
        return train["batch_size"] * train.get("accumulate", 1) if "batch_size" in train else None

    @property
    def last_error(self) -> float | None:
        """Mean absolute error on the validation mixtures after the last epoch, whose weights are scored."""
        error = self.curve("valid")[-1] if self.history else math.nan
        return error if math.isfinite(error) else None

    @property
    def training_seconds(self) -> float | None:
        """Time spent in all epochs together."""
        return sum(epoch.get("seconds", 0.0) for epoch in self.history) if self.history else None

    @property
    def has_curve(self) -> bool:
        """Whether any epoch has a mean absolute error to draw."""
        return any(math.isfinite(error) for part in ("train", "valid") for error in self.curve(part))

    def curve(self, part: str) -> list[float]:
        """Mean absolute error of ``part`` (``train`` or ``valid``) after every epoch; NaN where it was not finite."""
        errors = [(epoch[part] or {}).get("mae") for epoch in self.history]
        return [math.nan if error is None else error for error in errors]


def read_networks(exp: Path, scores: list[Score]) -> list[Network]:
    """Every ``exp/demix_*`` folder, ordered as the tables are.

    Raises:
        DataDirError: for a folder whose name does not say what it was trained for, or a broken history.
    """
    networks = []
    for folder in sorted(path for path in exp.glob("demix_*") if path.is_dir()):
        match = _FOLDER.fullmatch(folder.name)
        if match is None:
            raise DataDirError(
                f"{folder}: expected the name demix_<e1|e2|both>_<condition>_<function>; rename the folder"
            )
        history, config = folder / "history.jsonl", folder / "config.yaml"
        networks.append(
            Network(
                folder=folder.name,
                **match.groupdict(),
                history=read_history(history) if history.exists() else [],
                settings=yaml.safe_load(config.read_text(encoding="utf-8")) if config.exists() else {},
                scores=tuple(score for score in scores if Path(score.path).parent.name == folder.name),
            )
        )
    return sorted(networks, key=lambda network: (network.given, str(network.column), paper_order(network.function)))
