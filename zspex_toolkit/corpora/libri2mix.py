"""Libri2Mix: two LibriSpeech speakers mixed as LibriMix's metadata say; 8 or 16 kHz, min or max, clean or noisy.

The corpus folder holds ``LibriSpeech/`` (or is it): ``<subset>/<speaker>/<chapter>/<utterance>.flac`` and
``SPEAKERS.TXT``. LibriMix's metadata (github.com/JorisCos/LibriMix, ``metadata/Libri2Mix``) are
``libri2mix_{train-clean-100,train-clean-360,dev-clean,test-clean}.csv``. Noise needs WHAM's root; clean never does.

Training mixes LibriSpeech's utterances anew; the trials are the mixtures of the metadata, each of the two speakers the
target in turn: 6,000 test trials. Their samples are those of LibriMix's own procedure
(``zspex_toolkit/io/librimix.py``), stored or computed at every reading.

Reference: Cosentino et al., arXiv 2005.11262.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from zspex_toolkit.corpora.fake.libri2mix import write_tree
from zspex_toolkit.corpora.support.account import Account
from zspex_toolkit.corpora.support.enrollment_map import (
    SIDES,
    EnrollmentMap,
    draw_enrollment_map,
    read_enrollment_map,
    speaker_of,
    to_text,
)
from zspex_toolkit.corpora.support.librimix_metadata import Row, read_genders, read_metadata, read_speakers
from zspex_toolkit.corpora.support.recordings import existing_root, fault_of, find_files
from zspex_toolkit.corpora.support.rendering import Rendering, render_missing
from zspex_toolkit.corpora.support.trials import write_trials
from zspex_toolkit.corpora.support.utterance_sets import UtteranceSets
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.librimix import SOURCE_FS, LibriMixture, from_line, mix, resampled_length, to_line
from zspex_toolkit.io.listed_trial import ListedTrial

SUBSETS = {"train-100": "train-clean-100", "train-360": "train-clean-360", "dev": "dev-clean", "test": "test-clean"}
NUM_MIXTURES = {"train-100": 13_900, "train-360": 50_800, "dev": 3_000, "test": 3_000}  # of the published metadata
MIXTURE_FOLDER = {"clean": "mix_clean", "noisy": "mix_both"}


def prepare(
    corpus_dir: Path,
    out: Path,
    *,
    fs: int = SOURCE_FS,
    train: tuple[str, ...] = ("train-100",),
    max_fault_share: float = 0.05,
) -> list[Path]:
    """Write ``out/{train,dev,test}``: LibriSpeech's utterances, for dynamic mixing and speaker embeddings.

    Args:
        train: parts of ``out/train``: train-100, train-360 or both.
        max_fault_share: share of broken or missing recordings that are dropped; with more, nothing is written.

    Raises:
        ConfigError: if the root or a part is missing.
        DataDirError: if a part holds no recording, or too many broken ones.
    """
    speech = _librispeech(existing_root("libri2mix", corpus_dir))
    for part in train:
        if part not in ("train-100", "train-360"):
            raise ConfigError(f"libri2mix: train: expected train-100 or train-360, got '{part}'")
    parts = {"train": train, "dev": ("dev",), "test": ("test",)}
    sets = UtteranceSets("libri2mix", fs, max_fault_share, tuple(parts))
    for name, subsets in parts.items():
        for subset in (speech / SUBSETS[part] for part in subsets):
            if not subset.is_dir():
                raise ConfigError(f"libri2mix: no folder {subset}; is {corpus_dir} the root of LibriSpeech?")
            words: dict[str, str] = {}
            for path in find_files(subset, (".flac",)):
                words = words if path.stem in words else _transcripts(path)
                sets[name].add_file(path.stem, speaker_of(path.stem), path, words.get(path.stem))
    genders = read_speakers(speech / "SPEAKERS.TXT") if (speech / "SPEAKERS.TXT").is_file() else {}
    return sets.write(out, corpus_dir, spk2gender=genders)


def prepare_trials(
    corpus_dir: Path,
    out: Path,
    dump: Path,
    *,
    fs: int = 8000,
    nj: int = 1,
    mode: str = "min",
    condition: str = "clean",
    sets: tuple[str, ...] = ("dev", "test"),
    on_the_fly: bool = False,
    metadata_dir: str | None = None,
    wham_dir: str | None = None,
    enrollment_dir: str | None = None,
    seed: int = 0,
    max_fault_share: float = 0.05,
) -> list[Path]:
    """Write ``out/trials_<set>``, both speakers of each mixture as targets, and the mixtures' audio under ``dump``.

    Args:
        fs: rate of the mixtures, Hz.
        nj: number of processes.
        mode: min (cut to the shorter utterance) or max (zeros to the longer one).
        condition: clean, or noisy: with WHAM's noise.
        sets: of train-100, train-360, dev, test.
        on_the_fly: store no audio: the trials name lines of ``dump/.../<set>.mixtures.jsonl``, and the same samples
            are computed at every reading.
        metadata_dir: folder of the CSVs; unset: ``metadata/Libri2Mix`` in the corpus folder.
        wham_dir: root of WHAM's noise (``tr``, ``cv``, ``tt``); unset: ``wham_noise`` in the corpus folder.
        enrollment_dir: folder with ``<set>/map_mixture2enrollment`` as published; unset: the metadata's. A set without
            one gets enrollments drawn with ``seed``, never the target's own utterance.
        max_fault_share: share of trials that are dropped for missing audio; with more, nothing is written.

    Raises:
        ConfigError: if a folder is missing or an option is not one of its values.
        DataDirError: with ``file:line``, for a fault in the metadata or a map.
        AudioError: for audio that is broken.
    """
    root = existing_root("libri2mix", corpus_dir)
    metadata = Path(metadata_dir or root / "metadata" / "Libri2Mix")
    wham = _noise_root(condition, Path(wham_dir or root / "wham_noise"))
    store = _store_lines if on_the_fly else partial(_render, nj=nj)
    written = []
    for name in sets:
        rows = _rows(metadata, name)
        enrollments = _enrollments(Path(enrollment_dir or metadata), name, rows, seed)
        account = Account(f"libri2mix {name}", max_fault_share)
        mixtures = _mixtures(rows, _librispeech(root), wham, fs, mode, account)
        folder = Path(dump, f"wav{fs // 1000}k" if fs % 1000 == 0 else f"wav{fs}", mode, name)
        audio = store(mixtures, folder, MIXTURE_FOLDER[condition])
        trials = _trials(rows, enrollments, audio, mixtures, account)
        genders = _genders(metadata, name, _librispeech(root))
        written.append(write_trials(Path(out, f"trials_{name}"), trials, genders, account, corpus_dir))
        write_text(written[-1] / "map_mixture2enrollment", to_text(enrollments, _utterances(rows)))
    return written


def fake_tree(root: Path, *, seed: int = 0) -> None:
    """LibriSpeech of 17 speakers in FLAC, metadata, WHAM noise of two channels, and a published map for test."""
    write_tree(Path(root), seed)


def _librispeech(root: Path) -> Path:
    return root / "LibriSpeech" if (root / "LibriSpeech").is_dir() else root


def _transcripts(path: Path) -> dict[str, str]:
    """Words of all utterances of a chapter from ``<speaker>-<chapter>.trans.txt`` beside a recording, {} without it."""
    table = path.with_name(f"{path.stem.rpartition('-')[0]}.trans.txt")
    text = table.read_text(encoding="utf-8") if table.is_file() else ""
    pairs = (line.partition(" ") for line in text.splitlines())
    return {utt: words for utt, _, words in pairs if words}


def _noise_root(condition: str, wham: Path) -> Path | None:
    if condition not in MIXTURE_FOLDER:
        raise ConfigError(f"libri2mix: condition: expected one of {', '.join(MIXTURE_FOLDER)}, got '{condition}'")
    if condition == "noisy" and not wham.is_dir():
        raise ConfigError(f"libri2mix: no folder {wham}; noisy mixtures need wham_dir, the root of WHAM's noise")
    return wham if condition == "noisy" else None


def _rows(metadata: Path, name: str) -> list[Row]:
    if name not in SUBSETS:
        raise ConfigError(f"libri2mix: sets: expected of {', '.join(SUBSETS)}, got '{name}'")
    path = metadata / f"libri2mix_{SUBSETS[name]}.csv"
    if not path.is_file():
        raise ConfigError(f"libri2mix: no file {path}; set metadata_dir to LibriMix's metadata/Libri2Mix")
    rows = read_metadata(path)
    if len(rows) != NUM_MIXTURES[name]:
        print(f"libri2mix: warning: {name} has {len(rows):,} mixtures; the published list has {NUM_MIXTURES[name]:,}")
    return rows


def _utterances(rows: list[Row]) -> dict[str, tuple[str, str]]:
    return {row.id: row.utterances for row in rows}


def _mixtures(rows: list[Row], speech: Path, wham: Path | None, fs: int, mode: str, account: Account):
    """Mixtures whose audio is all there, by id, each with its length in samples; the trials of others are counted."""
    mixtures: dict[str, tuple[LibriMixture, int]] = {}
    for row in rows:
        paths = [speech / source for source in row.sources]
        noise = {"noise": str(wham / row.noise), "noise_gain": row.noise_gain} if wham else {}
        faults, lengths = zip(*(fault_of(path, SOURCE_FS) for path in paths), strict=True)
        fault = next(filter(None, faults), "")
        if not fault and wham and not (wham / row.noise).is_file():
            fault = "missing noise file"
        if fault:
            for utt in row.utterances:
                account.drop(f"{speaker_of(utt)}-{row.id}", fault)
            continue
        mixture = LibriMixture(row.id, tuple(map(str, paths)), row.gains, fs, mode, **noise)
        length = {"min": min, "max": max}[mode](lengths)
        mixtures[row.id] = mixture, resampled_length(length, fs)
    return mixtures


def _enrollments(folder: Path, name: str, rows: list[Row], seed: int) -> EnrollmentMap:
    utterances = _utterances(rows)
    path = folder / name / "map_mixture2enrollment"
    if path.is_file():
        print(f"libri2mix: {name}: enrollments as in {path}", flush=True)
        return read_enrollment_map(path, utterances)
    print(f"libri2mix: {name}: no {path}: enrollments are drawn with seed {seed}", flush=True)
    return draw_enrollment_map(utterances, seed, name)


def _signals_of(recipe: str):
    return mix(from_line(recipe))


def _render(mixtures: Mapping, folder: Path, mixture_folder: str, *, nj: int) -> dict[str, dict[str, str]]:
    """Store all signals as LibriMix lays them out; where the audio of each mixture is, by the names of the signals."""
    renderings = []
    for mixture, num_samples in mixtures.values():
        folders = {"mix": mixture_folder, "s1": "s1", "s2": "s2"} | ({"noise": "noise"} if mixture.noise else {})
        files = {signal: folder / name / f"{mixture.id}.wav" for signal, name in folders.items()}
        renderings.append(Rendering(mixture.id, to_line(mixture), files, num_samples, mixture.fs))
    record = folder / mixture_folder  # clean and noisy mixtures lie beside each other, with the same sources
    render_missing(renderings, _signals_of, record, nj=nj, label=f"libri2mix {folder.name}")
    return {each.id: {signal: str(path) for signal, path in each.files.items()} for each in renderings}


def _store_lines(mixtures: Mapping, folder: Path, mixture_folder: str) -> dict[str, dict[str, str]]:
    """Write down how each mixture is computed; what names its audio, by the names of the signals."""
    path, audio = folder / f"{mixture_folder}.mixtures.jsonl", {}
    lines, start = [], 0
    for mixture, _ in mixtures.values():
        signals = ("mix", "s1", "s2") + (("noise",) if mixture.noise else ())
        audio[mixture.id] = {signal: f"{path}:{start}:{signal}" for signal in signals}
        lines.append(f"{to_line(mixture)}\n")
        start += len(lines[-1].encode())
    write_text(path, "".join(lines))
    print(f"libri2mix {folder.name}: {len(audio)} mixtures in {path}, computed when read", flush=True)
    return audio


def _trials(
    rows: list[Row],
    enrollments: EnrollmentMap,
    audio: Mapping[str, Mapping[str, str]],
    mixtures: Mapping[str, tuple[LibriMixture, int]],
    account: Account,
) -> list[ListedTrial]:
    """Two trials a mixture; those without enrollment are counted."""
    utterances = _utterances(rows)
    trials = []
    for mixture in mixtures:
        for side, utt in enumerate(pair := utterances[mixture]):
            key = f"{speaker_of(utt)}-{mixture}"
            if (mixture, side) not in enrollments:
                account.drop(key, "no enrollment")
                continue
            enrolling, other = enrollments[mixture, side]
            if enrolling not in audio:
                account.drop(key, "audio of its enrollment is missing")
                continue
            signals = audio[mixture]
            trials.append(
                ListedTrial(
                    key,
                    mixture,
                    *(speaker_of(utt), speaker_of(pair[1 - side])),
                    *(signals["mix"], signals[SIDES[side]], signals[SIDES[1 - side]]),
                    audio[enrolling][SIDES[other]],
                    enrolls_with_target=utterances[enrolling][other] == utt,
                    num_samples=mixtures[mixture][1],
                    noise=signals.get("noise"),
                )
            )
    return trials


def _genders(metadata: Path, name: str, speech: Path) -> dict[str, str]:
    info, speakers = metadata / f"libri2mix_{SUBSETS[name]}_info.csv", speech / "SPEAKERS.TXT"
    genders = read_speakers(speakers) if speakers.is_file() else {}
    return genders | (read_genders(info) if info.is_file() else {})
