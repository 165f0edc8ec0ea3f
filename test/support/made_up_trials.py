"""A directory of trials whose every figure can be worked by hand: the sources are tones, orthogonal to each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.write import write_data_dir

FS = 8000
GENDERS = {"ann": "f", "bob": "m", "cat": "f", "dan": "m"}
HERTZ = {"ann": 250, "bob": 500, "cat": 750, "dan": 1000}
# mixture: condition, then speaker, amplitude and start in s of each source; all end with the mixture, after 1 s.
MIXTURES = {
    "m1": ("present", ("ann", 0.3, 0.0), ("bob", 0.3, 0.5)),
    "m2": ("present", ("ann", 0.3, 0.0), ("cat", 0.15, 0.0)),
    "m3": ("present", ("bob", 0.3, 0.0), ("dan", 0.3, 0.0)),
    "m4": ("absent", ("ann", 0.3, 0.0), ("bob", 0.3, 0.0)),
    "m5": ("single", ("cat", 0.3, 0.0)),
}
ABSENT_SPEAKER = "dan"
# Energies: a tone over half the time has half the energy. 10 log10(2) = 3.0103, 20 log10(2) = 6.0206.
MIXTURE_SI_SDR = {"ann-m1": 3.0103, "bob-m1": -3.0103, "ann-m2": 6.0206, "cat-m2": -6.0206, "bob-m3": 0, "dan-m3": 0}


def make_trials(root: Path) -> Path:
    """Write eight trials, six of them of a target and an interferer, to ``root/trials_test``."""
    tables: dict[str, dict[str, str]] = {}

    def note(table: str, trial: str, value: str) -> None:
        tables.setdefault(table, {})[trial] = value

    for mixture, (condition, *sources) in MIXTURES.items():
        signals = {spk: tone(spk, amplitude, start_s) for spk, amplitude, start_s in sources}
        paths = {spk: _write(root, f"{mixture}-{spk}", signal) for spk, signal in signals.items()}
        whole = _write(root, mixture, sum(signals.values()))
        for asked in {"present": list(signals), "absent": [ABSENT_SPEAKER], "single": list(signals)}[condition]:
            trial = f"{asked}-{mixture}"
            others = [spk for spk in signals if spk != asked]
            silence = np.zeros(FS)
            note("wav.scp", trial, whole)
            note("spk1.scp", trial, paths.get(asked) or _write(root, "silence", silence))
            note(
                "enroll_spk1.scp",
                trial,
                _write(root, f"enroll-{asked}", np.tile(tone(asked), 3 if asked == "ann" else 1)),
            )
            note("utt2spk", trial, asked)
            note("utt2condition", trial, condition)
            note("utt2mixture", trial, mixture)
            if others:
                note("utt2spk2", trial, others[0])
                note("spk2.scp", trial, paths[others[0]])
    wavs, utt2spk = tables.pop("wav.scp"), tables.pop("utt2spk")
    write_data_dir(root / "trials_test", wavs=wavs, utt2spk=utt2spk, tables=tables)
    write_table(root / "trials_test" / "spk2gender", GENDERS)
    return root / "trials_test"


def tone(spk: str, amplitude: float = 0.3, start_s: float = 0.0) -> np.ndarray:
    """The voice of a speaker, (FS,): a sine in full periods from ``start_s`` on, zero before."""
    time = np.arange(FS) / FS
    return np.where(time >= start_s, amplitude * np.sin(2 * np.pi * HERTZ[spk] * time), 0.0)


def write_outputs(folder: Path, trials: Path, make: Callable[[str, np.ndarray, np.ndarray], np.ndarray]) -> Path:
    """Write ``make(trial, reference, rest of the mixture)`` as the output of every trial."""
    references, wavs = read_table(trials / "spk1.scp"), {}
    for trial, mixture in read_table(trials / "wav.scp").items():
        reference, fs = read_audio(references[trial])
        output = make(trial, reference, read_audio(mixture)[0].astype(np.float64) - reference)
        write_audio(folder / f"{trial}.wav", output, fs)
        wavs[trial] = str(folder / f"{trial}.wav")
    write_table(folder / "wav.scp", wavs)
    return folder


def _write(root: Path, name: str, samples: np.ndarray) -> str:
    path = root / "audio" / f"{name}.wav"
    if not path.exists():
        write_audio(path, samples, FS)
    return str(path)
