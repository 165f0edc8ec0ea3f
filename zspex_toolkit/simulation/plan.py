"""The plan of a mixture, and of a trial in it: all that decides the samples, written down before any audio is made."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.blanks import read_lines
from zspex_toolkit.simulation.channel import Channel

CONDITIONS = ("present", "absent", "single")
YOUNGER = (
    "fade",
    "channel",
)  # fields that are left out of lines where they are None: such lines are as they always were
Planned = TypeVar("Planned")


@dataclass(frozen=True)
class Piece:
    """Samples ``start : start + num_samples`` of an utterance at its own speed; None: to its end."""

    utt: str
    start: int = 0
    num_samples: int | None = None


@dataclass(frozen=True)
class Passage:
    """What one speaker says: pieces of one or several utterances, one behind the other.

    Positions and lengths are in samples after the change of speed.
    """

    spk: str
    pieces: tuple[Piece, ...]
    num_samples: int  # so many of the pieces' samples sound ...
    start: int = 0  # ... from this one on ...
    offset: int = 0  # ... and begin here in the mixture
    speed: float = 1.0  # the pieces are played this much faster, pitch and all
    room: str | None = None  # id of the room impulse response that they are convolved with
    gain: float | None = None  # factor; of a source None until set_levels, of an enrollment None: as it was recorded
    fade: int | None = None  # it comes and goes within so many samples, and its room goes on; None: it is cut

    @property
    def utterances(self) -> list[str]:
        """The utterances it is taken from, each once, in its order."""
        return list(dict.fromkeys(piece.utt for piece in self.pieces))


@dataclass(frozen=True)
class Noise:
    """A stretch of noise under the whole signal; a shorter recording is repeated."""

    id: str
    start: int
    snr_db: float  # power of all speech over that of the noise, whole signal
    gain: float | None = None  # of a mixture's noise; set by set_levels


@dataclass(frozen=True)
class Plan:
    """One mixture; the first source is the target, the others are interferers.

    ``snr_db`` is the power of the target over that of the sum of the interferers (see ``levels.set_levels``), None
    where there are none.
    ``gain`` multiplies everything; ``set_levels`` lowers it where the mixture would clip.
    """

    id: str
    sources: tuple[Passage, ...]
    snr_db: float | None
    fs: int
    num_samples: int
    seed: int
    gain: float = 1.0
    noise: Noise | None = None
    channel: Channel | None = None  # the microphone


@dataclass(frozen=True)
class Enrollment:
    """Speech that tells who is asked for."""

    passage: Passage
    noise: Noise | None = None
    channel: Channel | None = None  # the microphone


@dataclass(frozen=True)
class Trial:
    """A mixture, who is asked for in it, and by which enrollment; trials of one mixture repeat its plan."""

    id: str  # "<spk>-<mixture's id>"
    role: int | None  # which source of the mixture is asked for, from 1; None if the speaker is absent
    enrollment: Enrollment
    mixture: Plan

    @property
    def spk(self) -> str:
        """The speaker who is enrolled."""
        return self.enrollment.passage.spk

    @property
    def condition(self) -> str:
        """present; absent: the mixture is of others; single: it is of this speaker alone."""
        if self.role is None:
            return "absent"
        return "single" if len(self.mixture.sources) == 1 else "present"


def to_line(plan: Any) -> str:
    """The plan, of a mixture or of a trial, as a line of ``plan.jsonl``: JSON, without line break."""
    return json.dumps(plan, ensure_ascii=False, default=_fields)  # asdict copies all there is


def _fields(part: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if value is not None or name not in YOUNGER}


def read_plans(path: os.PathLike | str) -> list[Plan]:
    """Read a file of mixtures.

    Raises:
        DataDirError: naming file and line, if a line is no plan.
    """
    return _read(Path(path), _plan, "the plan of a mixture", "plan_mixtures")


def read_trials(path: os.PathLike | str) -> list[Trial]:
    """Read a file of trials.

    Raises:
        DataDirError: naming file and line, if a line is no plan of a trial.
    """
    return _read(Path(path), _trial, "the plan of a trial", "plan_trials")


def mixtures_of(trials: Sequence[Trial]) -> list[Plan]:
    """Each mixture once, in the order of their ids.

    Raises:
        DataDirError: if two trials describe mixtures of one id differently.
    """
    mixtures: dict[str, Plan] = {}
    for trial in trials:
        if mixtures.setdefault(trial.mixture.id, trial.mixture) != trial.mixture:
            raise DataDirError(f"mixture {trial.mixture.id}: its trials describe it differently; plan them again")
    return [mixtures[name] for name in sorted(mixtures, key=str.encode)]


def _read(path: Path, build: Callable[[dict], Planned], what: str, command: str) -> list[Planned]:
    if not path.is_file():
        raise DataDirError(f"{path}: no such file; write it with {command}")
    plans = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            plans.append(build(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise DataDirError(f"{path}:{number}: expected {what}, got {line[:60]!r} ({fault})") from fault
    return plans


def _plan(fields: dict[str, Any]) -> Plan:
    gain = fields.pop("gain", None)
    return Plan(
        sources=tuple(_passage(source) for source in fields.pop("sources")),
        **_surroundings(fields),
        gain=1.0 if gain is None else gain,
        **fields,
    )


def _surroundings(fields: dict[str, Any]) -> dict[str, Any]:
    noise, channel = fields.pop("noise", None), fields.pop("channel", None)
    return {"noise": Noise(**noise) if noise else None, "channel": Channel(**channel) if channel else None}


def _passage(fields: dict[str, Any]) -> Passage:
    if "utt" in fields:  # before there were passages: a stretch of one utterance, counted after the change of speed
        fields["pieces"] = [{"utt": fields.pop("utt")}]
    return Passage(pieces=tuple(Piece(**piece) for piece in fields.pop("pieces")), **fields)


def _trial(fields: dict[str, Any]) -> Trial:
    enrollment, mixture = fields.pop("enrollment"), _plan(fields.pop("mixture"))
    if "utts" in enrollment:  # before there were passages: a stretch of whole utterances, one behind the other
        pieces, spk = [{"utt": utt} for utt in enrollment.pop("utts")], fields.pop("spk")
        told = fields.pop("condition")
        enrollment = {"passage": {"spk": spk, "pieces": pieces, **enrollment}}
    else:
        told = None
    trial = Trial(
        enrollment=Enrollment(_passage(enrollment["passage"]), **_surroundings(enrollment)),
        mixture=mixture,
        **fields,
    )
    if trial.role is not None and not 1 <= trial.role <= len(mixture.sources):
        raise ValueError(f"role {trial.role} of {len(mixture.sources)} sources")
    if told not in (None, trial.condition):
        raise ValueError(f"condition {told!r}")
    return trial
