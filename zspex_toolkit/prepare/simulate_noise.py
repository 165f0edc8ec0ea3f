"""A folder of noise of many kinds, none of it recorded but the voices of its babble."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from zspex_toolkit.config import to_dict
from zspex_toolkit.errors import AudioError, ConfigError, DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.io.source_mark import digest_of_sources
from zspex_toolkit.prepare.simulated_folder import claim, is_made
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.level import power
from zspex_toolkit.signal.resample import resample
from zspex_toolkit.simulation.perturb import reverberate
from zspex_toolkit.simulation.recordings import Recordings

PEAK = 0.9


@dataclass(frozen=True)
class Config:
    """Settings of simulate_noise."""

    out: Path  # folder of the recordings (FLAC)
    data: Path | None = None  # data directory whose speakers babble; unset: no babble
    room_dir: Path | None = None  # folder of room impulse responses; each voice of a babble gets one
    num_noises: int = 60  # half of them babble, if there is speech; the others of each kind as many
    voices: tuple[int, int] = (5, 20)  # least and most that babble at a time
    seconds: float = 30.0  # length of each
    fs: int = 16000  # rate in Hz
    seed: int = 0  # the samples follow from it
    nj: int = 1  # number of processes


def simulate_noise(config: Config) -> None:
    """Write ``out/babble-001.flac``, ``out/fan-001.flac``, ..., each with a peak of 0.9.

    Babble is from 5 to 20 speakers, 6 dB up and down, who talk without pauses of their own; fan is a broad hiss that
    swells slowly, with the tones of its blades; hum is 50 or 60 Hz with harmonics over a faint hiss; clatter is single
    blows that ring; hiss falls by 0 to 6 dB an octave, from white over pink to brown. Files that an earlier run made
    with the same settings are kept; those of other settings go, all other files stay.

    Raises:
        ConfigError: if a setting is out of its range, or ``out`` holds a recording of such a name that this did not
            make.
        DataDirError: if ``data`` has fewer speakers than babble at a time.
        AudioError: if audio is missing or broken.
    """
    _check(config)
    speech, rooms = None if config.data is None else DataDir.load(config.data), Recordings(config.room_dir, config.fs)
    if speech is not None and len(speech.spk2utt) < config.voices[1]:
        raise DataDirError(
            f"{config.data}: expected {config.voices[1]} or more speakers for the babble, found {len(speech.spk2utt)};"
            " lower --voices"
        )
    num_babbles = 0 if speech is None else (config.num_noises + 1) // 2
    kinds = ["babble"] * num_babbles + [list(KINDS)[k % len(KINDS)] for k in range(config.num_noises - num_babbles)]
    work = [(kind, kinds[: place + 1].count(kind)) for place, kind in enumerate(kinds)]
    settings = {name: value for name, value in to_dict(config).items() if name not in ("out", "num_noises", "nj")}
    sources = [] if speech is None else list(speech.wavs.values())
    settings["sources"] = digest_of_sources([*sources, *(rooms.path(name) for name in rooms)])
    claim(config.out, settings, [_name(*item) for item in work])
    made = map_in_processes(partial(_make, config, speech, rooms), work, config.nj, label="noises")
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    print(f"{config.out}: {len(work)} noises ({counts}): {sum(made)} made, {len(made) - sum(made)} already there")


def _check(config: Config) -> None:
    for name, least in (("num_noises", 1), ("seconds", 1), ("fs", 8000), ("nj", 1)):
        if not least <= getattr(config, name) < float("inf"):
            raise ConfigError(f"{name}: expected at least {least}, got {getattr(config, name)}")
    if not 1 <= config.voices[0] <= config.voices[1]:
        raise ConfigError(f"voices: expected two numbers from 1 on, the least first, got {list(config.voices)}")


def _name(kind: str, number: int) -> str:
    return f"{kind}-{number:03d}.flac"


def _make(config: Config, speech: DataDir | None, rooms: Recordings, item: tuple[str, int]) -> bool:
    """Write a recording unless it is there; whether it is new."""
    kind, number = item
    path = config.out / _name(kind, number)
    if is_made(path):
        return False
    rng, num_samples = rng_for(config.seed, "noise", kind, number), round(config.seconds * config.fs)
    if kind == "babble":
        samples = _babble(rng, num_samples, config, speech, rooms)
    else:
        samples = KINDS[kind](rng, num_samples, config.fs)
    peak = np.abs(samples).max()
    if not peak > 0:
        raise AudioError(f"{config.data}: expected speech for {path.name}, found silence")
    write_audio(path, PEAK / peak * samples, config.fs)
    return True


def _babble(
    rng: np.random.Generator, num_samples: int, config: Config, speech: DataDir, rooms: Recordings
) -> np.ndarray:
    count = int(rng.integers(config.voices[0], config.voices[1] + 1))
    total, names = np.zeros(num_samples), list(rooms)
    for spk in rng.choice(sorted(speech.spk2utt), count, replace=False):
        voice = _talk(rng, num_samples, config.fs, speech, str(spk))
        voice = reverberate(voice, rooms[names[int(rng.integers(len(names)))]]) if names else voice
        total += voice * 10 ** (rng.uniform(-6, 6) / 20)
    return total


def _talk(rng: np.random.Generator, num_samples: int, fs: int, speech: DataDir, spk: str) -> np.ndarray:
    """All that a speaker says, utterance by utterance, over and over, at a power of 1: (T,)."""
    pieces: list[np.ndarray] = []
    start = missing = int(rng.integers(2 * fs))
    missing += num_samples
    for utt in _over_and_over(rng, speech.spk2utt[spk]):
        samples = resample(*speech.read_audio(utt), fs)
        level = power(samples)
        pieces.append(samples / np.sqrt(level) if level > 0 else samples)
        missing -= len(samples)
        if missing <= 0:
            return np.concatenate(pieces)[start : start + num_samples]
    raise DataDirError(f"speaker {spk}: no utterance")


def _over_and_over(rng: np.random.Generator, utterances: list[str]) -> Iterator[str]:
    while utterances:
        yield from (utterances[place] for place in rng.permutation(len(utterances)))


def _hiss(rng: np.random.Generator, num_samples: int, fs: int, slope_db: tuple[float, float] = (-6, 0)) -> np.ndarray:
    """Gaussian noise with a slope in dB an octave drawn between two, from 30 Hz on, at a power of 1."""
    hz = np.maximum(np.fft.rfftfreq(num_samples, 1 / fs), 30)
    slope = rng.uniform(*slope_db) / (20 * np.log10(2))
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(num_samples)) * (hz / 1000) ** slope, num_samples)
    return noise / np.sqrt(power(noise))


def _fan(rng: np.random.Generator, num_samples: int, fs: int) -> np.ndarray:
    time = np.arange(num_samples) / fs
    swell_db = rng.uniform(0, 4) * np.sin(2 * np.pi * (rng.uniform(0.05, 2) * time + rng.random()))
    noise = _hiss(rng, num_samples, fs, (-9, -3)) + rng.uniform(0, 0.5) * _hiss(rng, num_samples, fs, (-3, 0))
    tones = _tones(rng, rng.uniform(60, 400), time, 6)
    return 10 ** (swell_db / 20) * (noise + rng.uniform(0, 0.7) * tones)


def _hum(rng: np.random.Generator, num_samples: int, fs: int) -> np.ndarray:
    time = np.arange(num_samples) / fs
    return _tones(rng, rng.choice([50, 60]), time, 30) + rng.uniform(0.03, 0.5) * _hiss(rng, num_samples, fs)


def _tones(rng: np.random.Generator, hz: float, time: np.ndarray, count: int) -> np.ndarray:
    """A tone that wavers by 0.2 %, and its harmonics below 3.5 kHz, at a power of 1."""
    turns = hz * (time + 0.002 / (2 * np.pi * 0.3) * np.sin(2 * np.pi * 0.3 * time + rng.uniform(0, 6)))
    tones = np.zeros(len(time))
    for k in range(1, min(count, int(3500 / hz)) + 1):
        tones += rng.exponential() / k * np.sin(2 * np.pi * (k * turns + rng.random()))
    return tones / np.sqrt(power(tones))


def _clatter(rng: np.random.Generator, num_samples: int, fs: int) -> np.ndarray:
    """Blows as of keys and dishes: each rings at three frequencies for 5 to 80 ms, one to eight times a second."""
    noise, rate = 0.02 * _hiss(rng, num_samples, fs), rng.uniform(1, 8)
    length = min(fs // 4, num_samples)
    time = np.arange(length) / fs
    for start in rng.integers(0, num_samples - length + 1, int(rate * num_samples / fs) + 1):
        ring = sum(np.sin(2 * np.pi * hz * time) for hz in rng.uniform(300, 0.4 * fs, 3)) + rng.standard_normal(length)
        blow = 10 ** (rng.uniform(-20, 0) / 20) * ring * np.exp(-time / rng.uniform(0.005, 0.08))
        noise[start : start + length] += lfilter([1], [1, -0.5], blow)
    return noise


KINDS = {"fan": _fan, "hum": _hum, "clatter": _clatter, "hiss": _hiss}
