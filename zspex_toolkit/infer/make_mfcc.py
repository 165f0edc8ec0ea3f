"""MFCC of every utterance of a data directory, as Kaldi's ``steps/make_mfcc.sh`` leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.data.feature_options import read_mfcc_config
from zspex_toolkit.infer.feature_jobs import run_feature_jobs
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.option_file import kaldi_option_text


@dataclass(frozen=True)
class Config:
    """Settings of make_mfcc."""

    data: Path  # data directory with wav.scp
    out: Path  # folder for the archives raw_mfcc_<name>.N.ark
    mfcc_config: Path | None = None  # option file, Kaldi's mfcc.conf or YAML; without it the de-mixing settings
    nj: int = 1  # number of jobs
    cmd: str = ""  # command that runs the jobs, such as "queue.pl --mem 4G"; empty: this machine
    compress: bool = False  # store 8-bit values, a quarter of the size
    logdir: Path | None = None  # folder for the logs; <data>/log without it
    max_dropped_share: float = 0.0  # share of the utterances that may fail; Kaldi allows 0.05
    seed: int = 0  # of the dither, if the option file asks for some
    job: int = 0  # compute only this of the nj pieces; the command starts itself so


def make_mfcc(config: Config) -> None:
    """Write ``feats.scp``, ``utt2num_frames``, ``frame_shift`` (s) and ``conf/mfcc.conf`` into a data directory.

    Raises:
        ConfigError: for a bad option file; nothing has been started.
        DataDirError, JobError: if too many were dropped or a job failed; ``feats.scp`` is as it was.
    """
    mfcc = read_mfcc_config(config.mfcc_config)
    if config.job:
        from zspex_toolkit.infer.mfcc_job import mfcc_job  # loads torch, which the parent does not need

        mfcc_job(config, mfcc)
        return
    archive = f"raw_mfcc_{config.data.resolve().name}"
    run_feature_jobs(config, command="make_mfcc", archive=archive, script="feats.scp", tables=["utt2num_frames"])
    write_text(config.data / "frame_shift", f"{mfcc.frame_shift_ms / 1000:g}\n")
    write_text(config.data / "conf" / "mfcc.conf", kaldi_option_text(mfcc))
