"""Synthetic voices of our own making: espeak-ng from the wheel ``espeakng-loader``, in a process of its own.

A private copy of the library's data folder (links, plus ``voices/!v/``) takes one voice file per speaker. Traps: an
unknown variant silently gives the base voice, so every asked voice is checked against the files written; accents go by
path (``gmw/en-GB-scotland+spk001``, not ``en-gb+spk001``).
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zspex_toolkit.errors import UserError

ESPEAK_FS = 22050
MOST_VOICES = 100  # espeak-ng keeps a list of 349 voices and variants, its own among them
PROCESS = Path(__file__).with_name("espeak_process.py")
ACCENTS = (
    "gmw/en-US",
    "gmw/en",
    "gmw/en-GB-scotland",
    "gmw/en-GB-x-rp",
    "gmw/en-GB-x-gbclan",
    "gmw/en-GB-x-gbcwmd",
    "gmw/en-US-nyc",
    "gmw/en-029",
)


@dataclass(frozen=True)
class Voice:
    """A speaker of our making: ``variant`` is the text of an espeak-ng voice file."""

    name: str
    gender: str  # m or f
    accent: str
    rate: int  # words per minute
    variant: str


def draw_voice(rng: np.random.Generator, name: str, gender: str, accent: str) -> Voice:
    """A voice with its own pitch, melody, vocal tract, timbre and pace, as far apart as voices of one gender are.

    Formant frequencies share one factor, the length of the vocal tract, and each has a small own one; heights and
    widths (per cent of espeak-ng's base voice) and the tilt of the spectrum give the timbre.
    """
    base = math.exp(rng.uniform(math.log(70), math.log(155))) * (1 if gender == "m" else 1.95)  # in Hz
    tract = rng.uniform(82, 106) if gender == "m" else rng.uniform(100, 128)
    lines = [f"name {name}", "language variant", f"gender {'male' if gender == 'm' else 'female'}"]
    lines.append(f"pitch {base:.0f} {base * rng.uniform(1.15, 1.7):.0f}")
    for formant in range(9):
        frequency, height, width = tract * rng.uniform(0.93, 1.07), rng.uniform(45, 135), rng.uniform(60, 190)
        lines.append(f"formant {formant} {frequency:.0f} {height:.0f} {width:.0f}")
    lines.append(f"flutter {rng.integers(0, 12)}")
    lines.append(f"roughness {rng.integers(0, 5)}")
    lines.append(f"consonants {rng.integers(60, 130)} {rng.integers(60, 130)}")
    tone = rng.integers(60, 255, size=3)
    lines.append(f"tone 600 {tone[0]} 1200 {tone[1]} 3000 {tone[2]}")
    return Voice(name, gender, accent, int(rng.integers(130, 215)), "\n".join(lines) + "\n")


def speak(voices: Sequence[Voice], jobs: Sequence[tuple[str, str]]) -> Iterator[np.ndarray]:
    """Samples of each (voice name, sentence), in order: int16, (T,), at 22,050 Hz; the same on every run.

    Raises:
        UserError: if the wheel is missing, or its library cannot speak; one line.
    """
    try:
        import espeakng_loader
    except ImportError as error:
        raise UserError(
            "the mini corpus needs the Python package espeakng-loader: install it (pip install espeakng-loader)"
        ) from error
    by_name = {voice.name: voice for voice in voices}
    for some in _in_turns(jobs):
        with tempfile.TemporaryDirectory(prefix="zspex_espeak_") as folder:
            spoken_by = [by_name[name] for name in {name: None for name, _ in some}]
            _private_data(Path(espeakng_loader.get_data_path()), Path(folder), spoken_by)
            command = [sys.executable, "-I", str(PROCESS), espeakng_loader.get_library_path(), folder]
            with open(Path(folder, "jobs"), "w+", encoding="utf-8") as lines:
                for name, text in some:
                    voice = by_name[name]
                    job = {"voice": f"{voice.accent}+{name}", "rate": voice.rate, "text": text}
                    lines.write(json.dumps(job) + "\n")
                lines.seek(0)
                yield from _samples(command, lines, some)


def _in_turns(jobs: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Consecutive jobs of so many voices as one process of espeak-ng knows beside its own."""
    some, names = [], set()
    for job in jobs:
        if job[0] not in names and len(names) == MOST_VOICES:
            yield some
            some, names = [], set()
        some.append(job)
        names.add(job[0])
    yield some


def _private_data(original: Path, folder: Path, voices: Sequence[Voice]) -> None:
    """Lay out ``folder/espeak-ng-data``: links to the wheel's files and our own voice variants."""
    data = folder / "espeak-ng-data"
    (data / "voices" / "!v").mkdir(parents=True)
    for item in original.iterdir():
        if item.name != "voices":
            (data / item.name).symlink_to(item)
    for voice in voices:
        (data / "voices" / "!v" / voice.name).write_text(voice.variant, encoding="utf-8")


def _samples(command: list[str], lines, jobs: Sequence[tuple[str, str]]) -> Iterator[np.ndarray]:
    with subprocess.Popen(command, stdin=lines, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            for name, text in jobs:
                size = int.from_bytes(process.stdout.read(4), "little")
                samples = np.frombuffer(process.stdout.read(2 * size), dtype="<i2")
                if size == 0 or len(samples) != size:
                    process.kill()  # it may be waiting for us to read on
                    reason = process.stderr.read().decode(errors="replace").strip().rpartition("\n")[2]
                    raise UserError(f"espeak-ng did not speak '{text}' with voice {name}: {reason or 'no samples'}")
                yield samples
        finally:
            process.kill()
