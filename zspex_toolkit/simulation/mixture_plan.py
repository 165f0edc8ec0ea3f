"""The plan of a mixture: everything that decides its samples, written down before any audio is made."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zspex_toolkit.errors import DataDirError


@dataclass(frozen=True)
class Source:
    """One speaker of a mixture: samples ``start : start + num_samples`` of the utterance sound from ``offset`` on.

    Positions are samples at the mixture's rate, counted after the change of speed.
    """

    utt: str
    spk: str
    start: int
    offset: int
    num_samples: int
    gain: float | None = None  # set from the waveforms by set_levels
    speed: float = 1.0  # the utterance is played this much faster, pitch and all
    room: str | None = None  # id of the room impulse response it is convolved with


@dataclass(frozen=True)
class Noise:
    """A stretch of noise under the whole mixture; a shorter recording is repeated."""

    id: str
    start: int
    snr_db: float  # power of the sum of all sources over that of the noise, whole mixture
    gain: float | None = None  # set from the waveforms by set_levels


@dataclass(frozen=True)
class MixturePlan:
    """One mixture; the first source is the target, the others are interferers.

    ``snr_db`` is the power of the target over that of the sum of the interferers (see ``levels.set_levels``), None
    where there are none.
    ``gain`` multiplies everything, so that nothing clips; it and the sources' gains are None before ``set_levels``.
    """

    id: str
    sources: tuple[Source, ...]
    snr_db: float | None
    fs: int
    num_samples: int
    seed: int
    gain: float | None = None
    noise: Noise | None = None


def to_text(plans: list[MixturePlan]) -> str:
    """``plan.jsonl``: one mixture a line, sorted by the bytes of the ids."""
    return "".join(to_line(plan) + "\n" for plan in sorted(plans, key=lambda plan: plan.id))


def to_line(plan: Any) -> str:
    """The plan, of a mixture or of a trial, as one line of JSON."""
    return json.dumps(plan, ensure_ascii=False, default=vars)  # asdict copies all there is


def read_plans(path: os.PathLike | str) -> list[MixturePlan]:
    """Read a file of :func:`to_text`.

    Raises:
        DataDirError: naming file and line, if a line is no plan.
    """
    path = Path(path)
    if not path.is_file():
        raise DataDirError(f"{path}: no such file; write it with plan_mixtures")
    plans = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            plans.append(plan_from_fields(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise DataDirError(
                f"{path}:{number}: expected the plan of a mixture, got {line[:60]!r} ({fault})"
            ) from fault
    return plans


def plan_from_fields(fields: dict[str, Any]) -> MixturePlan:
    """The plan whose line was read to ``fields``; other fields raise TypeError or KeyError."""
    fields = dict(fields)
    sources = tuple(Source(**source) for source in fields.pop("sources"))
    noise = fields.pop("noise", None)
    return MixturePlan(sources=sources, noise=Noise(**noise) if noise else None, **fields)
