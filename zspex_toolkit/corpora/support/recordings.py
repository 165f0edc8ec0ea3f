"""Recordings in a corpus folder: the root that must exist, files in a fixed order, headers that must fit."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.io.audio import audio_info


def corpus_root(corpus: str, corpus_dir: str | os.PathLike | None) -> Path:
    """The root asked for, else the one in the environment variable named like the corpus (``TIMIT``), made absolute.

    Raises:
        ConfigError: if neither is set.
    """
    variable = corpus.upper()
    if corpus_dir is None and not os.environ.get(variable):
        raise ConfigError(f"{corpus}: no corpus folder given; set --corpus_dir or the variable {variable}")
    return Path(os.path.abspath(corpus_dir or os.environ[variable]))


def existing_root(corpus: str, corpus_dir: str | os.PathLike) -> Path:
    """``corpus_dir`` made absolute; it must be a folder.

    Raises:
        ConfigError: naming the option and the variable to set.
    """
    root = Path(os.path.abspath(corpus_dir))
    if not root.is_dir():
        variable = corpus.upper()
        raise ConfigError(f"{corpus}: no folder {root}; set --corpus_dir (or the variable {variable}) to its root")
    return root


def find_files(root: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Files below ``root`` whose suffix, in any letter case, is one of ``suffixes``; sorted folder by folder."""
    for folder, subfolders, names in os.walk(root, followlinks=True):
        subfolders.sort()
        for name in sorted(names):
            if name.lower().endswith(suffixes):
                yield Path(folder, name)


def fault_of(path: Path, fs: int) -> tuple[str, int]:
    """("", number of samples) of a mono recording at ``fs``, else (why it cannot be used, 0)."""
    try:
        info = audio_info(path)
    except AudioError:
        return ("missing file" if not path.exists() else "unreadable audio"), 0
    if info.fs != fs:
        return f"{info.fs} Hz instead of {fs} Hz", 0
    if info.num_channels != 1:
        return f"{info.num_channels} channels instead of 1", 0
    return ("", info.num_samples) if info.num_samples else ("empty audio", 0)


def plain_words(transcript: str) -> str:
    """Upper-case words without punctuation, as the tables' ``text`` has them.

    >>> plain_words("She had your dark suit in greasy wash-water, didn't she?")
    "SHE HAD YOUR DARK SUIT IN GREASY WASH WATER DIDN'T SHE"
    """
    return " ".join(re.findall(r"[A-Z0-9']*[A-Z0-9][A-Z0-9']*", transcript.upper()))
