"""All that a training of an extractor reads, in one tar, for a machine that sees none of it."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.io.table_set import read_tables

# Audio of a trial directory, which is scored: packed to the last bit.
TRIALS = ("wav.scp", *(f"spk{number}.scp" for number in range(1, 10)), "enroll_spk1.scp")
KEPT = ("utt2spk", "utt2condition", "spk2gender")
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)


@dataclass(frozen=True)
class Config:
    """Settings of pack_training."""

    out: Path  # tar to write
    train: Path  # data directory of the training utterances
    valid: Path | None = None  # trial directory of the validation
    room_dir: Path | None = None  # folder of room impulse responses
    noise_dir: Path | None = None  # folder of noise
    kbits: int = 24  # kbit/s of training utterances, as Opus; 0: FLAC, to the last bit
    max_mib: float = 0.0  # refuse a larger tar; 0: any
    nj: int = 1  # number of processes


def pack_training(config: Config) -> None:
    """Write a tar of the folders train, valid, rooms and noise.

    Utterances and trials keep their ids. Paths in the tables are relative to where the tar is unpacked.

    Raises:
        ConfigError: if the tar would be too large, or kbits is out of the codec's range.
        DataDirError, AudioError: for data that are malformed, missing or broken.
    """
    if config.kbits and not 6 <= config.kbits <= 256:
        raise ConfigError(f"kbits: expected 0, or 6 to 256, got {config.kbits}")
    with atomic_path(config.out) as temporary:
        with tarfile.open(temporary, "w") as tar:
            _add_training(tar, config)
            if config.valid:
                _add_trials(tar, config)
            for name, folder in (("rooms", config.room_dir), ("noise", config.noise_dir)):
                for path in sorted(folder.iterdir()) if folder else ():
                    if path.is_file():
                        _add(tar, f"{name}/{path.name}", path.read_bytes())
        size = temporary.stat().st_size / 2**20
        if config.max_mib and size > config.max_mib:
            raise ConfigError(f"{config.out}: would have {size:.1f} MiB, more than max_mib {config.max_mib:g}")
    print(f"{config.out}: {size:.1f} MiB")


def _add_training(tar: tarfile.TarFile, config: Config) -> None:
    data = DataDir.load(config.train)
    encoded = map_in_processes(
        partial(_utterance, data, config.kbits), data.utterances, config.nj, label="training utterances"
    )
    places, lengths, suffix = {}, {}, "opus" if config.kbits else "flac"
    for number, (utt, (content, count)) in enumerate(zip(data.utterances, encoded, strict=True)):
        places[utt], lengths[utt] = f"train/audio/{number}.{suffix}", str(count)
        _add(tar, places[utt], content)
    tables, _ = read_tables(config.train)
    kept = {name: tables[name] for name in KEPT if name in tables}
    _add_tables(tar, "train", kept | {"wav.scp": places, "utt2num_samples": lengths})


def _add_trials(tar: tarfile.TarFile, config: Config) -> None:
    tables, _ = read_tables(config.valid)
    audio = {name: tables[name] for name in TRIALS if name in tables}
    sources = sorted({source for table in audio.values() for source in table.values()})
    encoded = map_in_processes(_recording, sources, config.nj, label="recordings of trials")
    places = {source: f"valid/audio/{number}.flac" for number, source in enumerate(sources)}
    for source, content in zip(sources, encoded, strict=True):
        _add(tar, places[source], content)
    kept = {name: tables[name] for name in KEPT if name in tables}
    _add_tables(tar, "valid", kept | {n: {k: places[s] for k, s in table.items()} for n, table in audio.items()})


def _utterance(data: DataDir, kbits: int, utt: str) -> tuple[bytes, int]:
    """Encoded, and how many samples come out of it."""
    samples, fs = data.read_audio(utt)
    if kbits and fs not in OPUS_RATES:
        raise DataDirError(
            f"{utt}: expected a rate of {', '.join(map(str, OPUS_RATES))} Hz, which Opus has, found {fs} Hz; "
            "resample_data_dir first, or take kbits 0"
        )
    content = _encoded(samples, fs, kbits)
    return content, soundfile.info(io.BytesIO(content)).frames


def _recording(source: str) -> bytes:
    return _encoded(*read_audio(source), 0)


def _encoded(samples: np.ndarray, fs: int, kbits: int) -> bytes:
    stream = io.BytesIO()
    if kbits:
        level = (256 - kbits) / 250  # as libsndfile counts: from 256 kbit/s down to 6
        soundfile.write(stream, samples, fs, format="OGG", subtype="OPUS", compression_level=level)
    else:
        soundfile.write(stream, samples, fs, format="FLAC", subtype="PCM_16")
    return stream.getvalue()


def _add_tables(tar: tarfile.TarFile, folder: str, tables: dict[str, dict[str, str]]) -> None:
    for name, table in tables.items():
        _add(tar, f"{folder}/{name}", "".join(f"{key} {value}\n" for key, value in table.items()).encode())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
