"""The gates' figures on trials: planned, rendered, extracted and scored by the commands of the same names."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.extract import trials as extract_trials
from zspex_toolkit.gates.table import Figure
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.audio import audio_info
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.metrics.bootstrap_interval import bootstrap_interval
from zspex_toolkit.prepare import plan_trials, render_trials, resample_data_dir
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.score import extraction as score_extraction
from zspex_toolkit.score.groups import summarise
from zspex_toolkit.simulation.plan import Enrollment, Noise, Trial, read_trials, to_line
from zspex_toolkit.simulation.speech import Speech

Row = dict[str, Any]
GIVEN = "given"
PERCENT = {"confusion", "share_above_1_db"}
ABSENT_DB, ALONE_DB = -20.0, 15.0  # louder, an output without the speaker is heard; below, speech is damaged
ENROLLMENT_S = (1, 2, 4, 8, 15)
# What plan_trials is told for each set; the same seed plans the same mixtures for all enrollments.
PLANS: dict[str, dict[str, Any]] = {
    "present": {},
    "absent": {"absent_share": 1.0},
    "single": {"single_share": 1.0},
    "partial": {"partial_share": 1.0},
    "three": {"third_share": 1.0},
    "noise": {},
    "room": {},
    "microphone": {"channel_share": 1.0},
    "enrollment_noise": {},
    "enrollment_room": {},
    **{f"enrollment_{seconds}s": {"enrollment_seconds": (float(seconds),)} for seconds in ENROLLMENT_S},
}


@dataclass(frozen=True)
class TrialBench:
    """Sets of trials of one model, made when they are asked for.

    Attributes:
        model: folder of an extractor.
        fs: its rate in Hz.
        out: everything is written below it.
        data: data directory of clean utterances at any rate; None: there are only given trials.
        given: trial directory that stands in for the sets present, absent and single; or only the ``plan.jsonl`` of
            one, of utterances of ``data``.
        noise_dir, room_dir: recordings for the sets that need them.
        noise_snr_db: speech over the noise, of mixtures and enrollments.
        num_trials: of each set, at least; every speaker has as many.
        seed: of the plans.
        device, nj: of the commands.
    """

    model: Path
    fs: int
    out: Path
    data: Path | None
    given: Path | None = None
    noise_dir: Path | None = None
    room_dir: Path | None = None
    noise_snr_db: tuple[float, ...] = (5.0, 20.0)
    num_trials: int = 200
    seed: int = 0
    device: str = "auto"
    nj: int = 1
    _made: dict[str, Path] = field(default_factory=dict, init=False)
    _rows: dict[str, list[Row]] = field(default_factory=dict, init=False)

    def missing(self, name: str) -> str:
        """Why there is no such set; empty if there is."""
        if self.given is not None and name in ("present", "absent", "single"):
            return ""
        lacks = {
            "--data": self.data is None,
            "--noise_dir": name.endswith("noise") and self.noise_dir is None,
            "--room_dir": name.endswith("room") and self.room_dir is None,
        }
        return ", ".join(f"needs {option}" for option, lacking in lacks.items() if lacking)

    def scored(self, name: str) -> list[Row]:
        """The lines of ``trials.jsonl`` of a set that :meth:`missing` has nothing against."""
        condition = name if name in ("absent", "single") else "present"
        if self.given is not None and name in ("present", "absent", "single"):
            name = GIVEN
        if name not in self._rows:
            self._rows[name] = self._score(name)
        return [row for row in self._rows[name] if row["condition"] == condition]

    def recordings(self, count: int) -> list[tuple[str, str]]:
        """Mixtures and enrollments, at most so many."""
        data = self.trials(GIVEN if self.given is not None else "present")
        mixtures, enrollments = read_table(data / "wav.scp"), read_table(data / "enroll_spk1.scp")
        spread = list(mixtures)[:: max(1, len(mixtures) // count)]  # neighbours are of one speaker
        return [(mixtures[trial], enrollments[trial]) for trial in spread[:count]]

    def trials(self, name: str) -> Path:
        """A rendered trial directory."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Path:
        if name == GIVEN and (self.given / "wav.scp").exists():
            return self.given
        plan, source = self.out / "trials" / name, self.source
        if name == GIVEN:
            plan.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.given / "plan.jsonl", plan / "plan.jsonl")
        else:
            self._plan(name, plan)
        around = {"noise_dir": self.noise_dir, "room_dir": self.room_dir}
        render_trials.render_trial_dir(
            render_trials.Config(plan, source, self.out / "audio" / name, **around, nj=self.nj)
        )
        return plan

    @cached_property
    def source(self) -> Path:
        """The utterances at the model's rate.

        Raises:
            DataDirError: if there is no data directory.
        """
        if self.data is None:
            raise DataDirError(f"{self.given}: no wav.scp there; give --data, the utterances of its plan, to render it")
        directory = DataDir.load(self.data)
        rates = {audio_info(source).fs for source in sorted(set(directory.wavs.values()))}
        if rates == {self.fs}:
            return self.data
        out = self.out / f"data_{self.fs}"
        resample_data_dir.resample_data_dir(
            resample_data_dir.Config(self.data, out, self.out / "audio" / "data", self.fs, self.nj)
        )
        return out

    def _score(self, name: str) -> list[Row]:
        data, extracted, out = self.trials(name), self.out / "extracted" / name, self.out / "scores" / name
        extract_trials.extract_trials(extract_trials.Config(self.model, data, extracted, self.device, self.nj))
        score_extraction.score_extraction(
            score_extraction.Config(data, extracted, out, metrics=("si_sdr",), max_dropped_share=1.0, nj=self.nj)
        )
        return [json.loads(line) for line in (out / "trials.jsonl").read_text(encoding="utf-8").splitlines()]

    def _plan(self, name: str, plan: Path) -> None:
        counts = Counter(read_table(self.source / "utt2spk").values())
        speakers = sum(count > 1 for count in counts.values())
        options = {
            "speakers": self.num_trials if speakers > self.num_trials else 0,
            "per_speaker": max(1, math.ceil(self.num_trials / max(speakers, 1))),
            "seed": self.seed,
            "nj": self.nj,
            "noise_dir": self.noise_dir if name == "noise" else None,
            "room_dir": self.room_dir if name == "room" else None,
            "noise_snr_db": self.noise_snr_db,
            **PLANS[name],
        }
        plan_trials.plan_trial_dir(plan_trials.Config(self.source, plan, **options))
        if name in ("enrollment_noise", "enrollment_room"):
            speech = Speech.load(self.source, self.noise_dir, self.room_dir)
            trials = [_treated(trial, name, speech, self) for trial in read_trials(plan / "plan.jsonl")]
            write_text(plan / "plan.jsonl", "".join(to_line(trial) + "\n" for trial in trials))


def _treated(trial: Trial, name: str, speech: Speech, bench: TrialBench) -> Trial:
    """The trial with its enrollment in a room, or in noise."""
    rng, passage, noise = rng_for(bench.seed, name, trial.id), trial.enrollment.passage, None
    if name == "enrollment_room":
        passage = dataclasses.replace(passage, room=list(speech.rooms)[int(rng.integers(len(speech.rooms)))])
    else:
        chosen = list(speech.noises)[int(rng.integers(len(speech.noises)))]
        snr_db = float(rng.uniform(bench.noise_snr_db[0], bench.noise_snr_db[-1]))
        noise = Noise(chosen, int(rng.integers(speech.noises.num_samples[chosen])), snr_db)
    passage = dataclasses.replace(passage, gain=1.0)  # which is lowered where it would clip
    return dataclasses.replace(trial, enrollment=Enrollment(passage, noise))


def mean_of(bench: TrialBench, name: str, metric: str) -> Figure:
    """The mean of a metric of ``scores.json`` over the trials of a set, shares in percent."""
    if lacking := bench.missing(name):
        return Figure(None, remark=lacking)
    rows = bench.scored(name)
    if not rows:
        return _no_trials(name)
    found = next(group for group in summarise(rows) if group["by"] == "all")["metrics"].get(metric)
    if found is None:
        return Figure(math.nan, remark=f"every output of {len(rows)} trials is silent")
    scale, interval = 100.0 if metric in PERCENT else 1.0, found["speaker_interval"]
    seconds = np.mean([row["enrollment_seconds"] for row in rows])
    remark = f"{found['num_trials']} trials of {_num_speakers(rows)} speakers, enrollments of {seconds:.1f} s"
    return Figure(scale * found["mean"], interval and tuple(scale * end for end in interval), remark)


def median_left(bench: TrialBench) -> Figure:
    """Of the outputs where the speaker is absent, in dB re the mixture."""
    if lacking := bench.missing("absent"):
        return Figure(None, remark=lacking)
    rows = bench.scored("absent")
    if not rows:
        return _no_trials("absent")
    left = [row["energy_left_db"] for row in rows]
    remark = f"{len(rows)} trials of {_num_speakers(rows)} speakers"
    return Figure(float(np.median(left)), remark=remark)


def share_left(bench: TrialBench) -> Figure:
    """Percent of the outputs above -20 dB re the mixture where the speaker is absent."""
    return _share(bench, "absent", lambda row: row["energy_left_db"] > ABSENT_DB)


def share_damaged(bench: TrialBench) -> Figure:
    """Percent of the outputs below 15 dB SI-SDR to the input where the speaker is alone; silent ones are among them."""

    def is_damaged(row: Row) -> bool:  # an output that is the input, sample for sample, has no ratio
        return row["silent"] or (row.get("si_sdr") is not None and row["si_sdr"] < ALONE_DB)

    return _share(bench, "single", is_damaged)


def _share(bench: TrialBench, name: str, holds: Callable[[Row], bool]) -> Figure:
    if lacking := bench.missing(name):
        return Figure(None, remark=lacking)
    rows = bench.scored(name)
    if not rows:
        return _no_trials(name)
    values = np.array([100.0 * holds(row) for row in rows])
    speakers = np.array([row["target"] for row in rows])
    several = len(set(speakers)) > 1
    interval = bootstrap_interval(values, groups=speakers) if several else None
    return Figure(float(values.mean()), interval, f"{len(rows)} trials of {_num_speakers(rows)} speakers")


def _num_speakers(rows: Sequence[Row]) -> int:
    return len({row["target"] for row in rows})


def _no_trials(name: str) -> Figure:
    return Figure(None, remark=f"the list has no trials of the condition {name}")
