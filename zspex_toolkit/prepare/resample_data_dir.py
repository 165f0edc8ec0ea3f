"""Bring the audio of a data directory to another rate: one file an utterance, made once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.audio import audio_info, write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.file_name import file_name_of
from zspex_toolkit.io.overwriting import refuse_overwriting, refuse_sources_within
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.io.source_mark import source_mark
from zspex_toolkit.io.table_set import read_tables, write_tables
from zspex_toolkit.signal.resample import resample

# What stays true of an utterance at another rate, in a file of its own.
_KEPT = ("utt2spk", "text", "utt2lang", "utt2uniq", "utt2category", "spk2gender")


@dataclass(frozen=True)
class Config:
    """Settings of resample_data_dir."""

    data: Path  # data directory; its audio may have any rates
    out: Path  # data directory to write
    dump: Path  # folder of the resampled wavs
    fs: int = 8000  # rate in Hz
    nj: int = 1  # number of processes


def resample_data_dir(config: Config) -> None:
    """Write the utterances of ``data`` as 16-bit wavs of rate ``fs`` under ``dump``, and a data directory of them.

    Resampled by soxr at very high quality; peaks that come out above full scale are cut. Files that an earlier run
    made from the same audio are kept. Tables of features and times are left out: they describe other audio.

    Raises:
        ConfigError: if ``fs`` is not positive, ``out`` is ``data``, or ``dump`` holds wavs that this did not make.
        DataDirError: if ``data`` is malformed.
        AudioError: if audio is missing or broken.
    """
    data, out, dump, fs = config.data, config.out, config.dump, config.fs
    if fs <= 0:
        raise ConfigError(f"fs: expected a rate above 0 Hz, got {fs}")
    refuse_overwriting("out", out, [data])
    source = DataDir.load(data)
    refuse_sources_within("dump", dump / "wav", source.wavs.values(), what="wavs")
    tables, _ = read_tables(data)
    _forget_other(dump, source, fs)
    lengths = map_in_processes(
        partial(_resample_one, source, dump, fs), source.utterances, config.nj, label="utterances"
    )
    kept = {name: tables[name] for name in _KEPT if name in tables}
    wavs = {utt: str(_file(dump, utt)) for utt in source.utterances}
    counts = {utt: str(count) for utt, (count, _, _) in zip(source.utterances, lengths, strict=True)}
    write_tables(out, {**kept, "wav.scp": wavs, "utt2num_samples": counts})
    made, cut = sum(made for _, made, _ in lengths), sum(cut for _, _, cut in lengths)
    print(f"{out}: {len(wavs)} utterances in, {made} resampled to {fs} Hz, {len(wavs) - made} already there, 0 dropped")
    if cut:
        print(f"{out}: {cut} utterances had peaks above full scale, cut")


def _file(dump: Path, utt: str) -> Path:
    return dump / "wav" / f"{file_name_of(utt)}.wav"


def _forget_other(dump: Path, source: DataDir, fs: int) -> None:
    """Remove wavs made from other audio than ``source`` has now, by path, size and time; note what they are made from.

    Raises:
        ConfigError: if there are wavs but no such note: they may be the very recordings that are to be resampled.
    """
    now = {
        "fs": fs,
        "wavs": source.wavs,
        "segments": None if source.segments is None else {utt: list(row) for utt, row in source.segments.items()},
        "marks": {recording: source_mark(wav) for recording, wav in source.wavs.items()},
    }
    record, old = dump / "resampled.json", sorted((dump / "wav").glob("*.wav"))
    if old and not record.exists():
        raise ConfigError(f"dump: {dump / 'wav'} holds other wavs, such as {old[0].name}; give another folder")
    if record.exists():
        former = json.loads(record.read_text(encoding="utf-8"))
        kept = [utt for utt in source.utterances if _made_from(former, utt) == _made_from(now, utt)]
        kept_paths = {_file(dump, utt) for utt in kept}
        for path in old:
            if path not in kept_paths:
                path.unlink()
    write_json(record, now)


def _made_from(record: dict, utt: str) -> tuple | None:
    """All that decides on the file of an utterance; None if the record does not tell."""
    segment = (record["segments"] or {}).get(utt, [utt, 0, -1])
    recording = segment[0]
    if recording not in record["wavs"] or recording not in record.get("marks", ()):
        return None
    return record["fs"], record["wavs"][recording], record["marks"][recording], segment


def _resample_one(source: DataDir, dump: Path, fs: int, utt: str) -> tuple[int, bool, bool]:
    """Samples of the new file, whether it was made now, and whether peaks were cut."""
    path = _file(dump, utt)
    try:
        return audio_info(path).num_samples, False, False
    except AudioError:  # not there yet
        samples, fs_in = source.read_audio(utt)
    samples = resample(samples, fs_in, fs)
    cut = bool(len(samples) and np.abs(samples).max() > 1)
    write_audio(path, np.clip(samples, -1, 1), fs)
    return len(samples), True, cut
