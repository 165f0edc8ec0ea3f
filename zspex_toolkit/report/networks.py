"""The trained de-mixing networks of an experiment: what each was trained for, with what, and how its error fell."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.report.paper_figures import cell_order, paper_order
from zspex_toolkit.report.scores import Score
from zspex_toolkit.report.trainings import Training, read_training

_FOLDER = re.compile(r"demix_(?P<given>e1|e2|both)_(?P<condition>snr_all|[^_]+)_(?P<function>\w+)")


@dataclass(frozen=True)
class Network:
    """One folder ``demix_<given>_<condition>_<function>``."""

    folder: str
    given: str  # `e1`, `e2`, or `both`: trained for either direction
    condition: str
    function: str
    training: Training
    scores: tuple[Score, ...]

    @property
    def column(self) -> float | str:
        """SNR in dB it was trained at, microphone, or ``all SNRs``."""
        if self.condition == "snr_all":
            return "all SNRs"
        return float(self.condition[3:]) if self.condition.startswith("snr") else self.condition

    def has_curve(self, statistic: str = "mae") -> bool:
        """Whether any epoch has this statistic, so that there is something to draw."""
        return any(math.isfinite(value) for part in ("train", "valid") for value in self.curve(part, statistic))

    def curve(self, part: str, statistic: str = "mae") -> list[float]:
        """A statistic of ``part`` (``train`` or ``valid``) after every epoch; NaN where it was not finite."""
        return self.training.curve(part, statistic)


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
        networks.append(
            Network(
                folder=folder.name,
                **match.groupdict(),
                training=read_training(folder),
                scores=tuple(score for score in scores if Path(score.path).parent.name == folder.name),
            )
        )
    return sorted(networks, key=lambda n: (*cell_order(n.given, n.column), paper_order(n.function)))
