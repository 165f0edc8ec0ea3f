"""Which frames of a data directory hold speech, as Kaldi's ``sid/compute_vad_decision.sh`` leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zspex_toolkit.data.front_end import read_vad_config
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.option_file import kaldi_option_text
from zspex_toolkit.io.table import write_table
from zspex_toolkit.prepare.feature_jobs import (
    DROPPED_BEFORE,
    Fallback,
    dropped_by,
    logged_progress,
    piece_of,
    run_feature_jobs,
)
from zspex_toolkit.signal.front_end_config import VadConfig

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Config:
    """Settings of compute_vad."""

    data: Path  # data directory with feats.scp
    out: Path  # folder for the archives vad_<name>.N.ark
    vad_config: Path | None = None  # option file, Kaldi's vad.conf or YAML; without it Kaldi's usual values
    nj: int = 1  # number of jobs
    cmd: str = ""  # command that runs the jobs, such as "queue.pl --mem 4G"; empty: this machine
    logdir: Path | None = None  # folder for the logs; <data>/log without it
    max_dropped_share: float = 0.0  # share of the utterances that may fail
    max_unvoiced_share: float = 1.0  # share of the utterances that may have no voiced frame at all; they are counted
    job: int = 0  # compute only this of the nj pieces; the command starts itself so


def compute_vad(config: Config) -> None:
    """Write ``vad.scp`` and ``conf/vad.conf`` into a data directory, from its ``feats.scp``.

    ``feats.scp`` are raw MFCC whose first coefficient is the log energy; archives are ``vad_<name>.N.{ark,scp}``.

    Raises:
        ConfigError: for a bad option file; nothing has been started.
        DataDirError, JobError: if too many were dropped or a job failed; ``vad.scp`` is as it was.
    """
    vad, data = read_vad_config(config.vad_config), config.data
    if config.job:
        vad_job(config, vad)
        return
    if data.is_dir() and not (data / "feats.scp").exists():
        raise DataDirError(f"{data / 'feats.scp'}: no such file; run make_mfcc first")
    if not 0 <= config.max_unvoiced_share <= 1:
        raise ConfigError(f"--max_unvoiced_share: expected a share of 0 to 1, got {config.max_unvoiced_share}")
    fallback = Fallback("unvoiced", "without a voiced frame", "max_unvoiced_share", config.max_unvoiced_share)
    run_feature_jobs(
        config, command="compute_vad", archive=f"vad_{data.resolve().name}", script="vad.scp", fallback=fallback
    )
    write_text(data / "conf" / "vad.conf", kaldi_option_text(vad))


def vad_job(config: Config, vad_config: VadConfig) -> None:
    """Write ``out/<job>.ark``, a vector of 0 and 1 per utterance, and tables ``scp``, ``dropped``, ``unvoiced``."""
    import torch  # here and below: the command that starts the jobs does not need it

    torch.set_num_threads(1)  # a job is one process on one core
    source, out, job = DataDir.load(config.data), config.out, config.job
    table = source.feature_table("feats.scp")
    dropped: dict[str, str] = {}
    before = dropped_by(config.data / "dropped.txt", "make_mfcc")
    unvoiced: dict[str, str] = {}
    num_frames = num_voiced = 0
    with ArchiveWriter(out / f"{job}.ark", out / f"scp.{job}") as writer:
        for utt in logged_progress(piece_of(source.utterances, job, config.nj)):
            try:
                voiced = _decide(table, utt, vad_config, before)
            except DataDirError as error:
                dropped[utt] = " ".join(str(error).split())
                continue
            writer[utt] = voiced.float().numpy()
            num_frames += len(voiced)
            num_voiced += int(voiced.sum())
            if not voiced.any():
                unvoiced[utt] = "1"
    for utt, reason in dropped.items():
        print(f"dropped {utt}: {reason}")
    print(f"{num_voiced} of {num_frames} frames are voiced; {len(unvoiced)} utterances have no voiced frame at all")
    write_table(out / f"dropped.{job}", dropped)
    write_table(out / f"unvoiced.{job}", unvoiced)


def _decide(table, utt: str, config: VadConfig, before: Mapping[str, str]) -> torch.Tensor:
    import torch

    from zspex_toolkit.signal.vad import energy_vad

    if utt not in table and utt in before:
        raise DataDirError(f"{DROPPED_BEFORE} make_mfcc: {before[utt]}")
    if utt not in table:
        raise DataDirError(f"{table.path}: no line for '{utt}'; run make_mfcc first")
    feats = torch.from_numpy(table[utt])
    if feats.ndim != 2 or not len(feats):
        raise DataDirError(f"{table.specs[utt]}: expected a matrix of frames, found shape {tuple(feats.shape)}")
    return energy_vad(feats[None], config=config)[0]
