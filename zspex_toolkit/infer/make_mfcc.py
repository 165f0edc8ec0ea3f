"""MFCC of every utterance of a data directory, as Kaldi's ``steps/make_mfcc.sh`` leaves them."""

from __future__ import annotations

from pathlib import Path

from zspex_toolkit.data.feature_options import read_mfcc_config
from zspex_toolkit.infer.feature_jobs import FeatureJobs, run_feature_jobs
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.option_file import kaldi_option_text
from zspex_toolkit.signal.mfcc_config import KALDI_NAMES


def make_mfcc(
    data: Path,
    out: Path,
    *,
    mfcc_config: Path | None = None,
    nj: int = 1,
    cmd: str = "",
    compress: bool = False,
    logdir: Path | None = None,
    max_dropped_share: float = 0.0,
    seed: int = 0,
    job: int = 0,
) -> None:
    """Write ``out/raw_mfcc_<name>.N.{ark,scp}`` and the data directory's ``feats.scp``, ``utt2num_frames``,
    ``frame_shift`` (s) and ``conf/mfcc.conf``.

    Args:
        data: data directory.
        out: folder for the archives.
        mfcc_config: option file, Kaldi's or YAML; the de-mixing settings if None.
        nj: number of jobs.
        cmd: command that runs jobs; empty for this machine.
        compress: store 8-bit values, about a quarter of the size, as Kaldi does by default.
        logdir: folder for the logs; ``<data>/log`` if None.
        max_dropped_share: share of utterances that may fail.
        seed: of the dither, which depends on nothing else but the utterance's name.
        job: compute piece 1..nj into ``out`` and do no more; 0 starts the jobs.

    Raises:
        ConfigError: for a bad option file; nothing has been started.
        DataDirError: if a larger share than allowed was dropped; ``feats.scp`` is as it was.
        JobError: if a job failed.
    """
    config = read_mfcc_config(mfcc_config)
    if job:
        from zspex_toolkit.infer.mfcc_job import mfcc_job  # loads torch, which the parent does not need

        mfcc_job(data, out, config=config, compress=compress, seed=seed, job=job, nj=nj)
        return
    archive = f"raw_mfcc_{data.resolve().name}"
    jobs = FeatureJobs("make_mfcc", data, out, archive, "feats.scp", nj, cmd, logdir, max_dropped_share)
    options = {"mfcc_config": mfcc_config, "compress": compress, "seed": seed}
    run_feature_jobs(jobs, options, tables=["utt2num_frames"])
    write_text(data / "frame_shift", f"{config.frame_shift_ms / 1000:g}\n")
    write_text(data / "conf" / "mfcc.conf", kaldi_option_text(config, KALDI_NAMES))
