"""wsj0-2mix for speaker extraction: two WSJ0 speakers mixed as SpEx+'s lists say; 8 or 16 kHz, min or max.

The corpus folder is WSJ0 (LDC93S6A) at any depth, ``si_tr_s``, ``si_dt_05`` and ``si_et_05``: ``.wv1`` in NIST SPHERE
(packed ones are read through sph2pipe), or converted to wav or flac under the same names. Lists are those that
``_wsj0_lists.py`` names; they decide which utterances are train, dev (the training speakers) and test (others).
As published: 20,000 / 5,000 / 3,000 mixtures, 101 training speakers. How mixtures are made: ``_wsj0_mixing.py``.

References: Hershey et al., ICASSP 2016 (wsj0-2mix); Xu et al., "SpEx", 2020, and Ge et al., "SpEx+", 2020.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from zspex_toolkit.corpora.fake.wsj0_2mix import write_tree
from zspex_toolkit.corpora.support.account import Account
from zspex_toolkit.corpora.support.recordings import existing_root, find_files
from zspex_toolkit.corpora.support.rendering import Rendering, render_missing
from zspex_toolkit.corpora.support.sphere import fault_of_source, readable_source
from zspex_toolkit.corpora.support.trials import write_trials
from zspex_toolkit.corpora.support.utterance_sets import UtteranceSets
from zspex_toolkit.corpora.support.wsj0_lists import Line, list_file, read_list, speaker_of
from zspex_toolkit.corpora.support.wsj0_mixing import Wsj0Mixture, Wsj0Utterance, signals_of, to_recipe
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.blanks import read_lines
from zspex_toolkit.io.librimix import SOURCE_FS, resampled_length
from zspex_toolkit.io.listed_trial import ListedTrial
from zspex_toolkit.randomness import rng_for

SETS = {"train": "tr", "dev": "cv", "test": "tt"}
NUM_MIXTURES = {"train": 20_000, "dev": 5_000, "test": 3_000}
NUM_TRAINING_SPEAKERS = 101
UTTERANCE = re.compile(r"[0-9a-z]{8}")


def prepare(
    corpus_dir: Path,
    out: Path,
    *,
    fs: int = SOURCE_FS,
    lists_dir: str | None = None,
    max_fault_share: float = 0.05,
) -> list[Path]:
    """Write ``out/{train,dev,test}``: the utterances in the lists, for dynamic mixing and speaker embeddings.

    An utterance that is mixed in dev or test is left out of train.

    Args:
        lists_dir: folder of the lists; unset: ``lists`` in the corpus folder.
        max_fault_share: share of broken or missing recordings that are dropped; with more, nothing is written.

    Raises:
        ConfigError: if the root or a list is missing.
        DataDirError: with ``file:line``, for a fault in a list; or if too many recordings are broken.
    """
    root = existing_root("wsj0_2mix", corpus_dir)
    folder, files = Path(lists_dir or root / "lists"), _files(root)
    lists = {name: read_list(list_file(folder, short)) for name, short in SETS.items()}
    held_out = {utt for name in ("dev", "test") for line in lists[name] for utt in line.utterances}
    sets = UtteranceSets("wsj0_2mix", fs, max_fault_share, tuple(SETS))
    for name, lines in lists.items():
        for utt in sorted({utt for line in lines for utt in (*line.utterances, line.enrollment) if utt}):
            key = f"{speaker_of(utt)}-{utt}"
            fault, num_samples = fault_of_source(files[utt], fs) if utt in files else ("missing file", 0)
            if name == "train" and utt in held_out:
                sets.account.leave_out(key, "of train, mixed in dev or test")
            elif fault:
                sets.account.drop(key, fault)
            else:
                sets[name].add_source(key, speaker_of(utt), readable_source(files[utt]), num_samples)
    num_speakers = len(set(sets["train"].utt2spk.values()))
    written = sets.write(out, corpus_dir, spk2gender=_genders(root))
    if num_speakers != NUM_TRAINING_SPEAKERS:
        print(f"wsj0_2mix: warning: {num_speakers} training speakers; the whole corpus has {NUM_TRAINING_SPEAKERS}")
    return written


def prepare_trials(
    corpus_dir: Path,
    out: Path,
    dump: Path,
    *,
    fs: int = 8000,
    nj: int = 1,
    mode: str = "min",
    sets: tuple[str, ...] = ("dev", "test"),
    lists_dir: str | None = None,
    levels_dir: str | None = None,
    seed: int = 0,
    max_fault_share: float = 0.05,
) -> list[Path]:
    """Write ``out/trials_<set>``, the targets of the list, and the audio of mixtures and enrollments under ``dump``.

    Args:
        fs: rate of the mixtures, Hz.
        nj: number of processes.
        mode: min (cut to the shorter utterance) or max (zeros to the longer one).
        sets: of train, dev, test.
        lists_dir: folder of the lists; unset: ``lists`` in the corpus folder.
        levels_dir: folder with ``activlev*.txt``, lines of ``<utterance> <active power at 8 kHz>`` as pywsj0-mix
            publishes them; unset: mean power.
        seed: of the enrollments, where a list has none; never an utterance of the mixture.
        max_fault_share: share of trials that are dropped for missing audio; with more, nothing is written.

    Raises:
        ConfigError: if a folder is missing or an option is not one of its values.
        DataDirError: with ``file:line``, for a fault in a list or table of levels.
        AudioError: for audio that is broken.
    """
    root = existing_root("wsj0_2mix", corpus_dir)
    if mode not in ("min", "max"):
        raise ConfigError(f"wsj0_2mix: mode: expected min or max, got '{mode}'")
    files, levels = _files(root), _levels(Path(levels_dir)) if levels_dir else None
    written = []
    for name in sets:
        if name not in SETS:
            raise ConfigError(f"wsj0_2mix: sets: expected of {', '.join(SETS)}, got '{name}'")
        lines = _with_enrollments(_read_lines(Path(lists_dir or root / "lists"), name), seed)
        account = Account(f"wsj0_2mix {name}", max_fault_share)
        lines, lengths = _usable(lines, files, levels, account)
        folder = Path(dump, f"wav{fs // 1000}k" if fs % 1000 == 0 else f"wav{fs}", mode, SETS[name])
        renderings = _renderings(lines, lengths, files, levels, folder, fs, mode)
        render_missing(list(renderings.values()), signals_of, folder, nj=nj, label=f"wsj0_2mix {name}")
        trials = [_trial(line, renderings) for line in lines]
        written.append(write_trials(Path(out, f"trials_{name}"), trials, _genders(root), account, corpus_dir))
    return written


def fake_tree(root: Path, *, seed: int = 0) -> None:
    """WSJ0 of 12 speakers in SPHERE ``.wv1`` files, ``spkrinfo.txt``, and lists for speaker extraction."""
    write_tree(Path(root), seed)


def _files(root: Path) -> dict[str, Path]:
    """Recordings by their names; of copies, the first."""
    files: dict[str, Path] = {}
    for path in find_files(root, (".wv1", ".wav", ".flac")):
        if UTTERANCE.fullmatch(path.stem.lower()):
            files.setdefault(path.stem.lower(), path)
    return files


def _genders(root: Path) -> dict[str, str]:
    """``m`` or ``f`` from the discs' ``spkrinfo.txt`` (``001  M ...``; the training speakers have one more)."""
    genders = {}
    for path in find_files(root, ("spkrinfo.txt",)):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            fields = line.lower().split()
            if len(fields) >= 2 and len(fields[0]) == 3 and fields[1] in ("m", "f"):
                genders[fields[0]] = fields[1]
    return genders


def _levels(folder: Path) -> dict[str, float]:
    paths = sorted(folder.glob("activlev*.txt"))
    if not paths:
        raise ConfigError(f"wsj0_2mix: no activlev*.txt in {folder}; set levels_dir to a folder of such tables")
    levels = {}
    for path in paths:
        for number, line in enumerate(read_lines(path), start=1):
            try:
                utt, level = line.split()
                levels[Path(utt).stem.lower()] = float(level)
                if not 0 < float(level) < math.inf:
                    raise ValueError("a level is above 0")
            except ValueError as fault:
                raise DataDirError(f"{path}:{number}: expected '<utterance> <level>', got '{line}'") from fault
    return levels


def _read_lines(folder: Path, name: str) -> list[Line]:
    path = list_file(folder, SETS[name])
    lines = read_list(path)
    number = len({line.mixture for line in lines})
    print(f"wsj0_2mix: {name}: {number:,} mixtures in {path}", flush=True)
    if number != NUM_MIXTURES[name]:
        print(f"wsj0_2mix: warning: {name} has {number:,} mixtures; the published list has {NUM_MIXTURES[name]:,}")
    return lines


def _with_enrollments(lines: list[Line], seed: int) -> list[Line]:
    """Lines without enrollment become one for each speaker, with a random other utterance of the same list."""
    utterances = defaultdict(set)
    for utt in (utt for line in lines for utt in line.utterances):
        utterances[speaker_of(utt)].add(utt)
    complete = [line for line in lines if line.enrollment]
    for line in (line for line in lines if not line.enrollment):
        for target, utt in enumerate(line.utterances):
            others = sorted(utterances[speaker_of(utt)] - {utt})
            rng = rng_for(seed, "enrollment", line.mixture, target)
            enrollment = others[int(rng.integers(len(others)))] if others else None
            complete.append(Line(line.utterances, line.snr_db, target, enrollment))
    return complete


def _usable(
    lines: list[Line], files: Mapping[str, Path], levels: Mapping[str, float] | None, account: Account
) -> tuple[list[Line], dict[str, int]]:
    """Lines whose audio is all there, and the length of each utterance at 16 kHz; the others are counted."""
    faults: dict[str, str] = {}
    lengths: dict[str, int] = {}
    for utt in sorted({utt for line in lines for utt in (*line.utterances, line.enrollment) if utt}):
        fault, lengths[utt] = fault_of_source(files[utt], SOURCE_FS) if utt in files else ("missing file", 0)
        faults[utt] = fault
    usable = []
    for line in lines:
        fault = next((faults[utt] for utt in (*line.utterances, line.enrollment) if utt and faults[utt]), "")
        if not fault and levels is not None and not levels.keys() >= set(line.utterances):
            fault = "no active level"
        if fault or line.enrollment is None:
            account.drop(_key(line), fault or "no other utterance of the speaker to enroll with")
        else:
            usable.append(line)
    return usable, lengths


def _renderings(lines, lengths, files, levels, folder: Path, fs: int, mode: str) -> dict[str, Rendering]:
    """What is to be stored, by the names of mixtures and of enrolling utterances."""
    renderings = {}
    for line in lines:
        sources = tuple(readable_source(files[utt]) for utt in line.utterances)
        powers = tuple(levels[utt] if levels is not None else None for utt in line.utterances)
        recipe = to_recipe(Wsj0Mixture(line.mixture, sources, line.snr_db, powers, fs, mode))
        paths = {signal: folder / signal / f"{line.mixture}.wav" for signal in ("mix", "s1", "s2")}
        length = {"min": min, "max": max}[mode](lengths[utt] for utt in line.utterances)
        renderings[line.mixture] = Rendering(line.mixture, recipe, paths, resampled_length(length, fs), fs)
        utt = line.enrollment
        recipe = to_recipe(Wsj0Utterance(utt, readable_source(files[utt]), fs))
        paths = {"enrollment": folder / "aux" / f"{utt}.wav"}
        renderings[utt] = Rendering(utt, recipe, paths, resampled_length(lengths[utt], fs), fs)
    return renderings


def _key(line: Line) -> str:
    return f"{speaker_of(line.utterances[line.target])}-{line.mixture}_{line.enrollment}"


def _trial(line: Line, renderings: Mapping[str, Rendering]) -> ListedTrial:
    mixture, target = renderings[line.mixture], line.target
    audio = [str(mixture.files[name]) for name in ("s1", "s2")]
    return ListedTrial(
        _key(line),
        line.mixture,
        *(speaker_of(line.utterances[number]) for number in (target, 1 - target)),
        str(mixture.files["mix"]),
        *(audio[number] for number in (target, 1 - target)),
        str(renderings[line.enrollment].files["enrollment"]),
        enrolls_with_target=line.enrollment == line.utterances[target],
        num_samples=mixture.num_samples,
    )
