"""Further speakers out of those of a data directory: their utterances with other formants and another pitch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from zspex_toolkit.config import to_dict
from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.audio import audio_info, write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.file_name import file_name_of
from zspex_toolkit.io.overwriting import refuse_overwriting, refuse_sources_within
from zspex_toolkit.io.processes import map_in_processes
from zspex_toolkit.io.source_mark import digest_of_sources
from zspex_toolkit.io.table_set import Tables, read_tables, write_tables
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.voice_change import PITCH_BAND_HZ, VoiceFactors, change_voice, require_praat, voiced_pitch

_KEPT = ("text", "utt2lang", "utt2category")  # what stays true of an utterance in another voice
_MEDIAN_HZ = (65.0, 450.0)  # no voice has a median pitch outside: it moves to the other side instead


@dataclass(frozen=True)
class Config:
    """Settings of change_voices."""

    data: Path  # data directory
    out: Path  # data directory of the new speakers alone, to write
    dump: Path  # folder of their audio (FLAC)
    num_voices: int = 2  # new speakers out of each speaker, 1 to 4: v1-SPEAKER, v2-SPEAKER, ...
    lower_formants: tuple[float, float] = (0.82, 0.90)  # least and largest factor
    higher_formants: tuple[float, float] = (1.12, 1.22)
    lower_pitch: tuple[float, float] = (0.67, 0.80)  # of the median
    higher_pitch: tuple[float, float] = (1.25, 1.50)
    pitch_range: tuple[float, float] = (0.8, 1.25)  # of the distance from the median
    seed: int = 0  # of the factors
    nj: int = 1  # number of processes


@dataclass(frozen=True)
class _Voice:
    """A new speaker."""

    prefix: str  # of speaker and utterances
    factors: VoiceFactors


@dataclass(frozen=True)
class _Speaker:
    """A recorded speaker, and who is made of them."""

    band_hz: tuple[float, float]  # pitch as it was recorded
    voices: tuple[_Voice, ...]


@dataclass(frozen=True)
class _Written:
    """A new utterance."""

    num_samples: int
    is_new: bool = False
    is_turned_down: bool = False
    is_unvoiced: bool = False


def change_voices(config: Config) -> None:
    """Write a data directory of new speakers, ``num_voices`` out of each speaker of ``data``.

    Where ann says ``ann-1``, her first new voice, the speaker ``v1-ann``, says ``v1-ann-1``. Voices 1 and 2 are one
    with lower formants and pitch and one with higher ones, in either order; of 3 and 4 one has lower formants and a
    higher pitch, one the opposite. A voice has the same factors in all its utterances, drawn from ``seed`` and the
    names alone, evenly on a logarithmic scale; a pitch with a median outside 65 to 450 Hz moves the other way instead.
    Factors stand in ``spk2voice``: recorded speaker, formants, pitch and range of the pitch. ``utt2uniq`` names the
    recorded utterance; tables that say what was said are kept, ``spk2gender`` is not: nobody knows it of a made voice.
    Files that an earlier run made of the same audio with the same settings are kept.

    Raises:
        ConfigError: if a setting is out of its range, ``out`` is ``data``, or ``dump`` holds audio that this did not
            make.
        DataDirError: if ``data`` is malformed.
        AudioError: if audio is missing or broken.
        UserError: if the package praat-parselmouth is not installed.
    """
    _check(config)
    require_praat()
    source, (tables, _) = DataDir.load(config.data), read_tables(config.data)
    refuse_sources_within("dump", config.dump / "flac", source.wavs.values())
    speakers = _speakers(source, config)
    work = [(utt, voice) for utt, spk in source.utt2spk.items() for voice in speakers[spk].voices]
    written = map_in_processes(partial(_write, source, speakers, config), work, config.nj, label="utterances")
    new: Tables = {
        "utt2spk": {voice.prefix + utt: voice.prefix + source.utt2spk[utt] for utt, voice in work},
        "utt2uniq": {voice.prefix + utt: tables.get("utt2uniq", {}).get(utt, utt) for utt, voice in work},
        "wav.scp": {voice.prefix + utt: str(_file(config.dump, utt, voice)) for utt, voice in work},
        "utt2num_samples": {
            voice.prefix + utt: str(each.num_samples) for (utt, voice), each in zip(work, written, strict=True)
        },
        "spk2voice": {
            voice.prefix + spk: " ".join([spk, *map(str, astuple(voice.factors))])
            for spk, speaker in speakers.items()
            for voice in speaker.voices
        },
    }
    for name in set(_KEPT).intersection(tables):
        new[name] = {voice.prefix + utt: tables[name][utt] for utt, voice in work if utt in tables[name]}
    write_tables(config.out, {name: dict(sorted(table.items())) for name, table in new.items()})
    _report(config.out, source, len(new["spk2voice"]), written)


def _check(config: Config) -> None:
    if not 1 <= config.num_voices <= 4:
        raise ConfigError(f"num_voices: expected 1 to 4, got {config.num_voices}")
    for name in ("lower_formants", "higher_formants", "lower_pitch", "higher_pitch", "pitch_range"):
        least, largest = getattr(config, name)
        if not 0.5 <= least <= largest <= 2:
            raise ConfigError(f"{name}: expected two factors of 0.5 to 2, the least first, got {least:g},{largest:g}")
    refuse_overwriting("out", config.out, [config.data])


def _report(out: Path, source: DataDir, num_voices: int, written: Sequence[_Written]) -> None:
    made = sum(each.is_new for each in written)
    print(
        f"{out}: {len(source.utt2spk)} utterances of {len(source.spk2utt)} speakers in, {len(written)} of {num_voices}"
        f" new speakers out: {made} made, {len(written) - made} already there, 0 dropped"
    )
    if unvoiced := sum(each.is_unvoiced for each in written):
        print(f"{out}: {unvoiced} utterances without voiced speech: other formants alone")
    if turned_down := sum(each.is_turned_down for each in written):
        print(f"{out}: {turned_down} utterances would have clipped: turned down")


def _file(dump: Path, utt: str, voice: _Voice) -> Path:
    return dump / "flac" / f"{file_name_of(voice.prefix + utt)}.flac"


def _speakers(source: DataDir, config: Config) -> dict[str, _Speaker]:
    """Speakers and their new voices, noted in ``dump``; files of other voices or of other audio go.

    Raises:
        ConfigError: if there is audio but no such note: it may be the very recordings that are to be changed.
    """
    settings = {name: value for name, value in to_dict(config).items() if name not in ("data", "out", "dump", "nj")}
    made_of = to_dict({**settings, "utt2spk": source.utt2spk, "wavs": source.wavs, "segments": source.segments})
    made_of["sources"] = digest_of_sources(source.wavs.values())
    record, old = config.dump / "voices.json", sorted((config.dump / "flac").glob("*.flac"))
    if old and not record.exists():
        raise ConfigError(f"dump: {old[0].parent} holds other audio, such as {old[0].name}; give another folder")
    note = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    if note.get("made_of") != made_of:
        for path in old:
            path.unlink()
        names = list(source.spk2utt)
        speakers = map_in_processes(partial(_meet, source, config), names, config.nj, label="speakers")
        note = {"made_of": made_of, "speakers": {spk: asdict(each) for spk, each in zip(names, speakers, strict=True)}}
        write_json(record, note)
    return {spk: _speaker_of(row) for spk, row in note["speakers"].items()}


def _speaker_of(row: dict) -> _Speaker:
    voices = tuple(_Voice(voice["prefix"], VoiceFactors(**voice["factors"])) for voice in row["voices"])
    return _Speaker(tuple(row["band_hz"]), voices)


def _meet(source: DataDir, config: Config, spk: str) -> _Speaker:
    """Measure the pitch of a speaker and draw the new voices.

    A band about the quartiles of the pitch keeps most mistaken octaves out: De Looze and Hirst, "Detecting changes in
    key and range for the automatic modelling and coding of intonation", Speech Prosody 2008; a little wider here.
    """
    hz = np.concatenate([voiced_pitch(*source.read_audio(utt)) for utt in source.spk2utt[spk]])
    if not len(hz):
        return _Speaker(PITCH_BAND_HZ, _draw(spk, None, config))
    lower, median, upper = (float(quartile) for quartile in np.quantile(hz, (0.25, 0.5, 0.75)))
    return _Speaker((max(0.7 * lower, PITCH_BAND_HZ[0]), min(2 * upper, PITCH_BAND_HZ[1])), _draw(spk, median, config))


def _draw(spk: str, median_hz: float | None, config: Config) -> tuple[_Voice, ...]:
    """The new voices of a speaker, of the median pitch ``median_hz`` or of none."""
    rng = rng_for(config.seed, "directions", spk)
    directions = [*rng.permutation([(0, 0), (1, 1)]), *rng.permutation([(0, 1), (1, 0)])]
    voices = []
    for number, (formants, pitch) in enumerate(directions[: config.num_voices], start=1):
        bounds = (
            (config.lower_formants, config.higher_formants)[formants],
            (config.lower_pitch, config.higher_pitch)[pitch],
            config.pitch_range,
        )
        rng = rng_for(config.seed, "voice", spk, number)
        factors = VoiceFactors(*(round(float(np.exp(rng.uniform(*np.log(each)))), 4) for each in bounds))
        if median_hz is not None and not _MEDIAN_HZ[0] <= factors.pitch * median_hz <= _MEDIAN_HZ[1]:
            factors = replace(factors, pitch=round(1 / factors.pitch, 4))
        voices.append(_Voice(f"v{number}-", factors))
    return tuple(voices)


def _write(source: DataDir, speakers: dict[str, _Speaker], config: Config, item: tuple[str, _Voice]) -> _Written:
    """Make an utterance in a new voice, unless it is there."""
    utt, voice = item
    path, speaker = _file(config.dump, utt, voice), speakers[source.utt2spk[utt]]
    try:
        return _Written(audio_info(path).num_samples)
    except AudioError:  # not there yet
        samples, fs = source.read_audio(utt)
    seed = int(rng_for(config.seed, "overlap-add", voice.prefix, utt).integers(2**31))
    changed = change_voice(samples, fs, voice.factors, seed=seed, band_hz=speaker.band_hz)
    peak = np.abs(changed).max()
    write_audio(path, changed / max(peak, 1.0), fs)
    unvoiced = not len(voiced_pitch(samples, fs, band_hz=speaker.band_hz))
    return _Written(len(changed), True, bool(peak > 1), unvoiced)
