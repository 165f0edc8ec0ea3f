"""Any corpus by its name: check root and options, then hand over to its own ``prepare``."""

from __future__ import annotations

import os
import re
import typing
from pathlib import Path

from zspex_toolkit.config import typed_options
from zspex_toolkit.corpora._recordings import corpus_root
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.registry import load_module

NOT_OPTIONS = {"corpus_dir", "out", "fs", "dump", "nj"}


def prepare_corpus(
    corpus: str,
    corpus_dir: str | os.PathLike | None,
    out: str | os.PathLike,
    *,
    fs: int = 16000,
    options: dict[str, object] | None = None,
) -> list[Path]:
    """Write the data directories of ``corpus`` under ``out``.

    Args:
        corpus: file name in ``zspex_toolkit/corpora``.
        corpus_dir: the corpus's root; None: the variable named like the corpus (``TIMIT``).
        fs: rate that every recording must have, in Hz.
        options: the corpus's own, as its ``prepare`` describes them; values may be strings.

    Raises:
        ConfigError: for an unknown corpus or option, a value of the wrong type or a missing root.
        DataDirError: if the corpus is not as its file says; nothing is written.
    """
    prepare = load_module("corpora", corpus).prepare
    options = _typed(corpus, prepare, options or {})
    return prepare(corpus_root(corpus, corpus_dir), Path(out), fs=fs, **options)


def prepare_trials(
    corpus: str,
    corpus_dir: str | os.PathLike | None,
    out: str | os.PathLike,
    dump: str | os.PathLike,
    *,
    fs: int = 8000,
    nj: int = 1,
    options: dict[str, object] | None = None,
) -> list[Path]:
    """Write the extraction trials ``out/trials_<set>`` of a corpus that brings its own lists, and render their audio.

    Args:
        corpus: file name in ``zspex_toolkit/corpora``.
        corpus_dir: the corpus's root; None: the variable named like the corpus.
        out: folder of the data directories.
        dump: folder of the audio.
        fs: rate of the mixtures, Hz.
        nj: number of processes.
        options: the corpus's own, as its ``prepare_trials`` describes them; values may be strings.

    Raises:
        ConfigError: for a corpus without lists, an unknown corpus or option, a value of the wrong type or no root.
        DataDirError: for a fault in the lists.
        AudioError: for broken audio.
    """
    module = load_module("corpora", corpus)
    if not hasattr(module, "prepare_trials"):
        raise ConfigError(f"{corpus}: brings no lists of trials; plan some with plan_trials")
    options = _typed(corpus, module.prepare_trials, options or {})
    root = corpus_root(corpus, corpus_dir)
    return module.prepare_trials(root, Path(out), Path(dump), fs=fs, nj=nj, **options)


def make_fake_corpus(corpus: str, out: str | os.PathLike, *, seed: int = 0) -> None:
    """Lay out a tiny corpus in the original's layout and file types; ``out`` must be absent or empty.

    Raises:
        ConfigError: for an unknown corpus, or if ``out`` holds something.
    """
    fake_tree, out = load_module("corpora", corpus).fake_tree, Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out}: expected a new or empty folder for the fake corpus; it stays as it is")
    fake_tree(out, seed=seed)
    print(f"{corpus}: {sum(path.is_file() for path in out.rglob('*'))} files in {out}", flush=True)


def _typed(corpus: str, prepare, options: dict[str, object]) -> dict[str, object]:
    """The options in the types that ``prepare`` declares; ``a,b`` or ``a b`` fills a list."""
    for name in sorted(NOT_OPTIONS & options.keys()):
        raise ConfigError(f"{corpus}: {name} is no option of the corpus; give it as --{name}")
    kinds = typing.get_type_hints(prepare)
    lists = {name for name in options if typing.get_origin(kinds.get(name)) is tuple and isinstance(options[name], str)}
    given = {name: re.split(r"[,\s]+", value) if name in lists else value for name, value in options.items()}
    return typed_options(prepare, given, f"{corpus} --options", skip=NOT_OPTIONS)
