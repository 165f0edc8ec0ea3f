"""Check a trained extractor against what people ask of one they are to use: the table of gates."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from zspex_toolkit.bench.cells import instructions, processor_name
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.extract.cost import ListCost
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.shipped_models import model_folder
from zspex_toolkit.gates import machine as gate_machine
from zspex_toolkit.gates import trials as gate_trials
from zspex_toolkit.gates.machine import check_inputs, check_latency, check_streaming
from zspex_toolkit.gates.table import FAILED, MEASURED, PASSED, Checked, Figure, Gate, markdown
from zspex_toolkit.gates.trials import TrialBench
from zspex_toolkit.io.atomic import write_json, write_text
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.revision import current_commit

_SECONDS = 4.0  # of the speech that odd inputs and streams are made of


@dataclass(frozen=True)
class Config:
    """Settings of check_model."""

    out: Path = Path("gates")  # folder for GATES.md and gates.json; trials, outputs and scores below it
    model: Path | None = None  # folder of a trained extractor, or a name of zspex models; unset: the default of those
    data: Path | None = None  # data directory of clean utterances of speakers never trained on
    trials: Path | None = None  # trial directory at the model's rate (or its plan.jsonl) for present, absent, alone
    noise_dir: Path | None = None  # folder of noise recordings (wav, flac), for mixtures and enrollments
    noise_snr_db: tuple[float, ...] = (5.0, 20.0)  # speech over the noise; two values: drawn between them
    room_dir: Path | None = None  # folder of room impulse responses (wav, flac)
    num_trials: int = 200  # of each condition, at least; every speaker has as many
    num_files: int = 60  # of the list that tells memory and time, at most
    gates: tuple[str, ...] = ()  # only those whose names begin so
    limits: dict[str, float] = field(default_factory=dict)  # other limits than those of the table
    strict: bool = False  # end with status 1 if a gate failed
    seed: int = 0  # of the plans
    device: str = "auto"  # auto, cpu or cuda:N; of the trials
    nj: int = 1  # number of processes on the CPU


class Bench:
    """A model with all it is tried on; what several gates share is made once."""

    def __init__(self, config: Config):
        self.model = model_folder(config.model)
        self.extractor = Extractor.load(self.model, device="cpu")
        self.trials = TrialBench(
            self.model,
            self.extractor.fs,
            config.out,
            config.data,
            config.trials,
            config.noise_dir,
            config.room_dir,
            config.noise_snr_db,
            config.num_trials,
            config.seed,
            config.device,
            config.nj,
        )
        self._num_files = config.num_files

    @cached_property
    def speech(self) -> tuple[np.ndarray, np.ndarray]:
        """A mixture (T,) and its enrollment (U,)."""
        fs = self.extractor.fs
        return tuple(read_audio(path, fs=fs)[0][: round(_SECONDS * fs)] for path in self.trials.recordings(1)[0])

    @cached_property
    def cost(self) -> ListCost | str:
        """Of a list of recordings."""
        return gate_machine.measure_cost(self.model, self.trials.recordings(self._num_files))


def check_model(config: Config) -> list[Checked]:
    """Measure every gate, print a line for each, and write ``out/GATES.md`` and ``out/gates.json``.

    A gate whose data are missing or broken has failed; its remark says why.

    What an earlier run of the same model and plans extracted is kept.

    Raises:
        ConfigError: for neither data nor trials, an unknown gate, or a limit of a gate that has none.
        UserError: if the model is missing or broken; with ``strict``, if a gate failed: all is written before.
    """
    gates = _gates(config)
    if config.data is None and config.trials is None:
        raise ConfigError("expected --data, utterances of speakers never trained on, or --trials, got neither")
    if config.num_trials < 1 or config.num_files < 2:
        found = f"{config.num_trials} and {config.num_files}"
        raise ConfigError(f"expected num_trials of 1 or more and num_files of 2 or more, got {found}")
    bench, checked = Bench(config), []
    for number, gate in enumerate(gates, start=1):
        print(f"[{number}/{len(gates)}] {gate.name}: {gate.about}", flush=True)
        checked.append(Checked(gate, _measured(gate, bench)))
        print(checked[-1].line(), flush=True)
        _write(config, bench, checked)  # each time: hours are not lost with what breaks the next one
    verdicts = [one.verdict for one in checked]
    print(*(f"{one.line()}" for one in checked), sep="\n")
    print(f"{config.out}: " + ", ".join(f"{verdicts.count(word)} {word}" for word in (PASSED, FAILED, MEASURED)))
    failed = [one.gate.name for one in checked if one.verdict == FAILED]
    if config.strict and failed:
        raise UserError(f"{len(failed)} of {len(checked)} gates failed: {', '.join(failed)}")
    return checked


def _measured(gate: Gate, bench: Bench) -> Figure:
    try:
        return gate.measure(bench)
    except UserError as error:
        return Figure(math.nan, remark=str(error))


def _gates(config: Config) -> list[Gate]:
    names = [gate.name for gate in GATES]
    for start in config.gates:
        if not any(name.startswith(start) for name in names):
            raise ConfigError(f"gates: no gate begins with '{start}'; expected some of {', '.join(names)}")
    limited = {gate.name: gate for gate in GATES if gate.asked}
    for name in config.limits:
        if name not in limited:
            raise ConfigError(f"limits: '{name}' has no limit; expected some of {', '.join(limited)}")
    chosen = [gate for gate in GATES if not config.gates or gate.name.startswith(config.gates)]
    return [_with_limit(gate, config.limits.get(gate.name)) for gate in chosen]


def _with_limit(gate: Gate, limit: float | None) -> Gate:
    if limit is None:
        return gate
    return dataclasses.replace(gate, **{"at_most" if gate.at_least is None else "at_least": float(limit)})


def _write(config: Config, bench: Bench, checked: list[Checked]) -> None:
    device = "cpu" if bench.trials.device == "auto" else bench.trials.device
    facts = {
        "model": str(bench.model),
        "data": str(config.data or config.trials),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": current_commit(),
        "torch": torch.__version__,
        "processor": f"{processor_name(device)}; {instructions()}",
        "seed": config.seed,
    }
    notes = [f"{name}: {value}" for name, value in facts.items()]
    write_text(config.out / "GATES.md", markdown(f"Gates of {bench.model.name}", checked, notes))
    gates = [one.facts() for one in checked]
    for one in gates:  # JSON knows no NaN
        one["value"] = None if one["value"] is None or math.isnan(one["value"]) else one["value"]
    write_json(config.out / "gates.json", {**facts, "gates": gates})


def _mean(name: str, metric: str = "si_sdri") -> Callable[[Bench], Figure]:
    return lambda bench: gate_trials.mean_of(bench.trials, name, metric)


def _on_trials(measure: Callable[[TrialBench], Figure]) -> Callable[[Bench], Figure]:
    return lambda bench: measure(bench.trials)


def _on_speech(measure: Callable[..., Figure]) -> Callable[[Bench], Figure]:
    return lambda bench: measure(bench.extractor, *bench.speech)


def _on_folder(measure: Callable[[Path], Figure]) -> Callable[[Bench], Figure]:
    return lambda bench: measure(bench.model)


def _on_list(value: Callable[[ListCost], float], remark: str) -> Callable[[Bench], Figure]:
    return lambda bench: gate_machine.cost_figure(bench.cost, value, remark)


def _enrollments(seconds: int) -> Gate:
    return Gate(f"enrollment_{seconds}s", f"gain, enrollments of {seconds} s", "dB", _mean(f"enrollment_{seconds}s"))


# What is asked of a model that people can use. --limits asks something else, as of other recordings.
GATES = (
    Gate("present", "two speakers: gain in SI-SDR", "dB", _mean("present"), at_least=9),
    Gate("present_share", "gain over 1 dB", "%", _mean("present", "share_above_1_db"), at_least=93),
    Gate("confusion", "output nearer to the other speaker", "%", _mean("present", "confusion"), at_most=4),
    Gate("absent", "speaker absent: median energy left", "dB", _on_trials(gate_trials.median_left), at_most=-30),
    Gate("absent_share", "energy left above -20 dB", "%", _on_trials(gate_trials.share_left), at_most=10),
    Gate("alone", "speaker alone: below 15 dB to the input", "%", _on_trials(gate_trials.share_damaged), at_most=2),
    Gate("inputs", "odd inputs that give what they should not", "inputs", _on_speech(check_inputs), at_most=0),
    *(_enrollments(seconds) for seconds in gate_trials.ENROLLMENT_S),
    Gate("enrollment_noise", "gain, enrollments in noise", "dB", _mean("enrollment_noise")),
    Gate("enrollment_room", "gain, enrollments in rooms", "dB", _mean("enrollment_room")),
    Gate("partial", "gain, everyone speaks for a part of the time", "dB", _mean("partial")),
    Gate("three", "gain, three speakers", "dB", _mean("three")),
    Gate("noise", "gain, mixtures in noise", "dB", _mean("noise")),
    Gate("room", "gain, mixtures in rooms", "dB", _mean("room")),
    Gate("microphone", "gain, mixtures from other microphones", "dB", _mean("microphone")),
    Gate("rate", "sampling rate", "Hz", lambda bench: Figure(float(bench.extractor.fs)), at_least=16000),
    Gate("streaming", "promises of a stream that are broken", "promises", _on_speech(check_streaming), at_most=0),
    Gate("latency", "longest wait of a stream", "ms", _on_speech(check_latency), at_most=100),
    Gate("file", "weights", "MB", _on_folder(gate_machine.file_size), at_most=16),
    Gate(
        "memory",
        "of zspex extract beyond the imports, one recording",
        "MiB",
        _on_list(lambda cost: cost.first_mib - cost.imports_mib, "imports {0.imports_mib:.0f} MiB"),
        at_most=150,
    ),
    Gate(
        "memory_of_list",
        "of zspex extract in all, after many recordings",
        "MiB",
        _on_list(lambda cost: cost.peak_mib, "{0.num_jobs} recordings"),
        at_most=500,
    ),
    Gate(
        "real_time_factor",
        "CPU seconds of a second, one AVX2 core",
        "",
        _on_list(
            lambda cost: cost.cpu_s / cost.audio_s, "{0.audio_s:.0f} s of mixtures, files and enrollments included"
        ),
        at_most=0.06,
    ),
    Gate("portable", "as ONNX", "", _on_folder(gate_machine.portable)),
    Gate("licence", "licences that the card names", "", _on_folder(gate_machine.licences), at_least=1),
)
