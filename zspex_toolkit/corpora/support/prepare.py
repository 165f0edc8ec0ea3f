"""Any corpus by its name: check root and options, then hand over to its own ``prepare``."""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass, field
from pathlib import Path

from zspex_toolkit.config import typed_options
from zspex_toolkit.corpora.support.recordings import corpus_root
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.registry import load_module

NOT_OPTIONS = {"corpus_dir", "out", "fs", "dump", "nj"}


@dataclass(frozen=True)
class PrepareConfig:
    """Settings of prepare_data."""

    corpus: (
        str  # mini, speechocean762, timit, mc_wsj_av, voxceleb, libri2mix, wsj0_2mix: a file in zspex_toolkit/corpora
    )
    corpus_dir: Path | None = None  # root of the corpus; unset: the variable of its name (TIMIT, ...)
    out: Path = Path("data")  # the data directories appear here, dropped.txt beside them
    fs: int = 16000  # rate that every recording must have, in Hz
    options: dict[str, str | bool | int | float] = field(default_factory=dict)  # of this corpus: '{name: value, ...}'


@dataclass(frozen=True)
class TrialsConfig:
    """Settings of prepare_trials."""

    corpus: str  # libri2mix, wsj0_2mix: a file in zspex_toolkit/corpora
    corpus_dir: Path | None = None  # root of the corpus; unset: the variable of its name (LIBRI2MIX, ...)
    out: Path = Path("data")  # the data directories trials_<set> appear here
    dump: Path = Path("dump")  # the audio of mixtures, sources and enrollments
    fs: int = 8000  # rate of the mixtures, in Hz
    nj: int = 1  # number of processes
    options: dict[str, str | bool | int | float] = field(default_factory=dict)  # of this corpus: '{name: value, ...}'


@dataclass(frozen=True)
class FakeConfig:
    """Settings of make_fake_corpus."""

    corpus: str  # a file in zspex_toolkit/corpora
    out: Path  # new or empty folder
    seed: int = 0  # of voices and sentences


def prepare_corpus(config: PrepareConfig) -> None:
    """Write the data directories of a corpus.

    Raises:
        ConfigError: for an unknown corpus or option, a value of the wrong type or a missing root.
        DataDirError: if the corpus is not as its file says; nothing is written.
    """
    prepare = load_module("corpora", config.corpus).prepare
    options = _typed(config.corpus, prepare, config.options)
    root = corpus_root(config.corpus, config.corpus_dir)
    refuse_overwriting("out", config.out, [root])
    prepare(root, config.out, fs=config.fs, **options)


def prepare_trials(config: TrialsConfig) -> None:
    """Write the extraction trials of a corpus that brings its own lists, and render their audio.

    Raises:
        ConfigError: for a corpus without lists, an unknown corpus or option, a value of the wrong type or no root.
        DataDirError: for a fault in the lists.
        AudioError: for broken audio.
    """
    module = load_module("corpora", config.corpus)
    if not hasattr(module, "prepare_trials"):
        raise ConfigError(f"{config.corpus}: brings no lists of trials; plan some with plan_trials")
    options = _typed(config.corpus, module.prepare_trials, config.options)
    root = corpus_root(config.corpus, config.corpus_dir)
    for name in ("out", "dump"):
        refuse_overwriting(name, getattr(config, name), [root])
    module.prepare_trials(root, config.out, config.dump, fs=config.fs, nj=config.nj, **options)


def make_fake_corpus(config: FakeConfig) -> None:
    """Lay out a tiny corpus in the original's layout and file types.

    Raises:
        ConfigError: for an unknown corpus, or if ``out`` holds something.
    """
    fake_tree, out = load_module("corpora", config.corpus).fake_tree, config.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out}: expected a new or empty folder for the fake corpus; it stays as it is")
    fake_tree(out, seed=config.seed)
    print(f"{config.corpus}: {sum(path.is_file() for path in out.rglob('*'))} files in {out}", flush=True)


def _typed(corpus: str, prepare, options: dict[str, object]) -> dict[str, object]:
    """The options in the types that ``prepare`` declares; ``a,b`` or ``a b`` fills a list."""
    for name in sorted(NOT_OPTIONS & options.keys()):
        raise ConfigError(f"{corpus}: {name} is no option of the corpus; give it as --{name}")
    kinds = typing.get_type_hints(prepare)
    lists = {name for name in options if typing.get_origin(kinds.get(name)) is tuple and isinstance(options[name], str)}
    given = {name: re.split(r"[,\s]+", value) if name in lists else value for name, value in options.items()}
    return typed_options(prepare, given, f"{corpus} --options", skip=NOT_OPTIONS)
