"""The front end that made the features of a data directory: one and the same in training and in use. Loads no torch."""

from __future__ import annotations

import dataclasses
from os import PathLike
from pathlib import Path

from zspex_toolkit.config import to_dict
from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.option_file import read_options
from zspex_toolkit.signal.front_end_config import DEMIXING, FrontEndConfig, MfccConfig, VadConfig


def read_mfcc_config(path: Path | None) -> MfccConfig:
    """Settings from an option file; those of speaker embedding de-mixing if there is none."""
    return DEMIXING if path is None else read_options(path, MfccConfig)


def read_vad_config(path: Path | None) -> VadConfig:
    """Settings from an option file; those of Kaldi's speaker recipes if there is none."""
    return VadConfig() if path is None else read_options(path, VadConfig)


def front_end_of(data: str | PathLike, *, cmvn_window: int = 300, subtract_level: bool = False) -> FrontEndConfig:
    """Settings that make_mfcc and compute_vad left in ``conf/`` of a data directory.

    Args:
        data: data directory.
        cmvn_window, subtract_level: normalisation, which is applied when features are read.

    Raises:
        DataDirError: if the directory has no features yet.
    """
    conf = Path(data) / "conf"
    for name, command in (("mfcc.conf", "make_mfcc"), ("vad.conf", "compute_vad")):
        if not (conf / name).exists():
            raise DataDirError(f"{conf / name}: no such file; run {command} on {data}")
    mfcc, vad = read_mfcc_config(conf / "mfcc.conf"), read_vad_config(conf / "vad.conf")
    return FrontEndConfig(mfcc, vad, cmvn_window, subtract_level)


def check_front_end(data: str | PathLike, expected: FrontEndConfig) -> None:
    """Refuse features that were made otherwise than those a model was trained on.

    Raises:
        DataDirError: naming the settings that differ.
    """
    found = front_end_of(data, cmvn_window=expected.cmvn_window, subtract_level=expected.subtract_level)
    for part in dataclasses.fields(FrontEndConfig):
        ours, theirs = to_dict(expected)[part.name], to_dict(found)[part.name]
        if ours != theirs:
            names = [name for name in ours if ours[name] != theirs[name]]
            changes = ", ".join(f"{name} {theirs[name]}, expected {ours[name]}" for name in names)
            raise DataDirError(f"{data}/conf/{part.name}.conf: the model was trained on other features: {changes}")
