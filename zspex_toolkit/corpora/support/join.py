"""Any number of corpora and data directories joined into one set to train on and others to test on."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zspex_toolkit.corpora.support.speech_source import SourceReader, SpeechSource
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.combine import combine_tables
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.io.table_set import write_tables

_OUTPUTS = ("all", "train", "test")
_PREPARED = ".prepared"  # below the output: corpora that the toolkit prepares on the way; nobody else calls a folder so
_OTHER = re.compile(r"[A-Za-z0-9][\w.]*(?:/[\w-]+)?=.+")


@dataclass(frozen=True)
class JoinConfig:
    """Settings of join_corpora."""

    train_data: tuple[str, ...]  # what to train on: DIR or NAME=DIR of data directories, CORPUS=DIR or CORPUS/SET=DIR
    test_data: tuple[str, ...] = ()  # the same of other speakers, to test on; unset: speakers are to be held out of all
    other_sets: tuple[str, ...] = ()  # NAME=DIR or CORPUS/SET=DIR: further sets to test on, each for itself
    out: Path = Path("data/original")  # gets all, or train and test, and a data directory for each further set
    start: Path = Path()  # folder that relative paths in wav.scp may be meant from, beside the data directory's own
    fs: int = 16000  # rate of corpora in Hz; data directories may have any
    options: dict[str, dict[str, str | bool | int | float]] = field(
        default_factory=dict
    )  # of corpora: '{CORPUS: {name: value, ...}, ...}'


def join_corpora(config: JoinConfig) -> None:
    """Write ``out/all``, or ``out/train`` and ``out/test``, and ``out/<name>`` of each further set.

    The ids of speakers begin with the name of their corpus, those of utterances with that of their speaker. Under one
    name the same id is the same speaker; two directories without names that the user gave are taken for one corpus
    where a speaker of the training is not to be tested.

    Raises:
        ConfigError: if a directory is none, or names are lacking or there twice.
        DataDirError: if a directory is malformed, or a speaker or recording of ``train_data`` is in another set.
    """
    _check_words(config)
    words = (*config.train_data, *config.test_data, *config.other_sets)
    for name in (*_OUTPUTS, *(word.partition("=")[0].partition("/")[0] for word in config.other_sets)):
        refuse_overwriting("out", config.out / name, [word.rpartition("=")[2] for word in words])
    shutil.rmtree(config.out / _PREPARED, ignore_errors=True)  # of other options
    reader = SourceReader(config.out / _PREPARED, config.start, config.fs, config.options)
    train = [reader.read(word, "train") for word in config.train_data]
    test = [reader.read(word, "test") for word in config.test_data]
    others = [reader.read(word, "test") for word in config.other_sets]
    for sources in (train, test):
        _check_names(sources)
    for option, sources in (("test_data", test), ("other_sets", others)):
        for one in sources:
            _check_apart(train, one, option)
    _write(config.out / ("train" if test else "all"), train)
    if test:
        _write(config.out / "test", test)
    for one in others:
        _write(config.out / one.name, [one])


def _check_words(config: JoinConfig) -> None:
    if not config.train_data:
        raise ConfigError("train_data: expected a data directory or more to train on, got none")
    names = [word.partition("=")[0].partition("/")[0] for word in config.other_sets]
    for word, name in zip(config.other_sets, names, strict=True):
        if not _OTHER.fullmatch(word):
            raise ConfigError(f"other_sets: expected NAME=DIR, NAME of letters, digits and _, got '{word}'")
        if name in _OUTPUTS or names.count(name) > 1:
            raise ConfigError(f"other_sets: '{name}' is taken; give the set of {word} another name")


def _check_names(sources: Sequence[SpeechSource]) -> None:
    """Folders of one name, such as ``train``, are no corpus of one name unless the user says so."""
    words: dict[str, SpeechSource] = {}
    for one in sources:
        other = words.setdefault(one.name, one)
        if other is not one and not (one.named and other.named):
            raise ConfigError(
                f"{other.word} and {one.word} would both be called '{one.name}'; give them names: NAME=DIR"
            )


def _check_apart(train: Sequence[SpeechSource], one: SpeechSource, option: str) -> None:
    for other in train:
        same_corpus = one.name == other.name or not (one.named and other.named)
        shared = sorted(one.speakers & other.speakers) if same_corpus else []
        if shared:
            told = f"the speaker '{shared[0]}' ({len(shared)} in all) of train_data {other.word}"
            raise DataDirError(
                f"{option}: {one.word} has {told}; test on others, or, if these are other people, give each directory "
                "a name: NAME=DIR"
            )
        heard = set(other.sounds.values())
        lost = next((utt for utt, sound in one.sounds.items() if sound in heard), None)
        if lost is not None:
            raise DataDirError(
                f"{option}: {one.word} has a recording of train_data {other.word}: {one.sounds[lost]}; test on others"
            )


def _write(out: Path, sources: Sequence[SpeechSource]) -> None:
    combined, left_out = combine_tables([one.word for one in sources], [one.tables for one in sources])
    write_tables(out, combined)
    for line in left_out:
        print(f"join_corpora: {out}: {line}")
    speakers = Counter(spk.partition("-")[0] for spk in sorted(set(combined["utt2spk"].values())))
    told = ", ".join(f"{number} of {name}" for name, number in speakers.items())
    print(f"join_corpora: {out}: {len(combined['utt2spk'])} utterances; speakers: {told}", flush=True)
