"""Option files of the front end; apart from its computation, for commands that do not load torch."""

from __future__ import annotations

from pathlib import Path

from zspex_toolkit.io.option_file import read_options
from zspex_toolkit.signal import mfcc_config, vad_config
from zspex_toolkit.signal.mfcc_config import MfccConfig
from zspex_toolkit.signal.vad_config import VadConfig


def read_mfcc_config(path: Path | None) -> MfccConfig:
    """Settings from an option file; those of speaker embedding de-mixing if there is none."""
    if path is None:
        return mfcc_config.DEMIXING
    return read_options(path, MfccConfig, mfcc_config.KALDI_NAMES, without_effect=mfcc_config.WITHOUT_EFFECT)


def read_vad_config(path: Path | None) -> VadConfig:
    """Settings from an option file; those of Kaldi's speaker recipes if there is none."""
    return vad_config.SPEAKER if path is None else read_options(path, VadConfig, vad_config.KALDI_NAMES)
