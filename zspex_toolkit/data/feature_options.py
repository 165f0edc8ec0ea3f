"""Option files of the front end; apart from its computation, for commands that do not load torch."""

from __future__ import annotations

from pathlib import Path

from zspex_toolkit.io.option_file import read_options
from zspex_toolkit.signal.front_end_config import DEMIXING, MfccConfig, VadConfig


def read_mfcc_config(path: Path | None) -> MfccConfig:
    """Settings from an option file; those of speaker embedding de-mixing if there is none."""
    return DEMIXING if path is None else read_options(path, MfccConfig)


def read_vad_config(path: Path | None) -> VadConfig:
    """Settings from an option file; those of Kaldi's speaker recipes if there is none."""
    return VadConfig() if path is None else read_options(path, VadConfig)
