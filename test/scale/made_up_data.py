"""Data directories of any size whose audio and features are a hundred entries of an archive, over and over again."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import numpy as np
import soundfile

from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.option_file import kaldi_option_text
from zspex_toolkit.io.table import read_table
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.front_end_config import DEMIXING, FrontEndConfig

FS, NUM_ENTRIES = 8000, 100
NUM_FRAMES = 98  # of a second
FRONT_END = FrontEndConfig(mfcc=dataclasses.replace(DEMIXING, fs=FS, high_hz=0))


def make(data: Path, num_utterances: int, num_speakers: int, *, num_samples: int = FS, name: str = "speaker") -> None:
    """A data directory of ``num_samples`` of noise an utterance, with features, decisions and ``utt2num_samples``.

    Speakers and utterances have names that begin with ``name``.
    """
    data.mkdir(parents=True)
    wavs, (feats, voiced) = _audio(data, num_samples), _features(data)
    per_speaker = num_utterances // num_speakers
    names = ("utt2spk", "wav.scp", "feats.scp", "vad.scp", "utt2num_samples", "spk2utt")
    streams = {name: (data / name).open("w") for name in names}
    for speaker in range(num_speakers):
        spk = f"{name}{speaker:06}"
        utterances = [f"{spk}-utterance{number:06}" for number in range(per_speaker)]
        streams["spk2utt"].write(f"{spk} {' '.join(utterances)}\n")
        for number, utt in enumerate(utterances):
            entry = number % NUM_ENTRIES
            for table, value in zip(names, (spk, wavs[entry], feats[entry], voiced[entry], num_samples), strict=False):
                streams[table].write(f"{utt} {value}\n")
    for stream in streams.values():
        stream.close()


def _audio(data: Path, num_samples: int) -> list[str]:
    """Places of the entries of ``shard.ark``."""
    archive = data.absolute() / "shard.ark"
    places = []
    with archive.open("wb") as stream:
        for number in range(NUM_ENTRIES):
            wav = io.BytesIO()
            noise = 0.1 * rng_for(0, number).standard_normal(num_samples)
            soundfile.write(wav, noise, FS, subtype="PCM_16", format="WAV")
            stream.write(f"entry{number} ".encode())
            places.append(f"{archive}:{stream.tell()}")
            stream.write(wav.getvalue())
    return places


def _features(data: Path) -> tuple[list[str], list[str]]:
    """Places of the entries of ``feats.ark`` and ``vad.ark``; ``conf/`` as the stages of a recipe leave it."""
    (data / "conf").mkdir()
    (data / "conf" / "mfcc.conf").write_text(kaldi_option_text(FRONT_END.mfcc))
    (data / "conf" / "vad.conf").write_text(kaldi_option_text(FRONT_END.vad))
    found = []
    for name, shape in (("feats", (NUM_FRAMES, FRONT_END.mfcc.num_ceps)), ("vad", (NUM_FRAMES,))):
        script = data / f".{name}.scp"
        with ArchiveWriter(data.absolute() / f"{name}.ark", script) as writer:
            for number in range(NUM_ENTRIES):
                array = rng_for(0, name, number).standard_normal(shape) if name == "feats" else np.ones(shape)
                writer[f"entry{number:02}"] = array.astype(np.float32)
        found.append(list(read_table(script).values()))
        script.unlink()
    return tuple(found)


def own_kilobytes() -> int:
    """Memory that this process has written to and shares with no other, in units of 1024 bytes."""
    fields = Path("/proc/self/smaps_rollup").read_text()
    return sum(map(int, re.findall(r"^Private_Dirty: +(\d+) kB", fields, re.MULTILINE)))
