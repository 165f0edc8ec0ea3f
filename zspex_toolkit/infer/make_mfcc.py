"""MFCC of every utterance of a data directory, as Kaldi's ``steps/make_mfcc.sh`` leaves them."""

from __future__ import annotations

from pathlib import Path

from zspex_toolkit.data.feature_options import read_mfcc_config
from zspex_toolkit.infer.feature_jobs import FeatureJobs, run_feature_jobs
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.option_file import kaldi_option_text


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
    """Write ``feats.scp``, ``utt2num_frames``, ``frame_shift`` (s) and ``conf/mfcc.conf`` into a data directory.

    Args:
        data: data directory.
        out: folder for the archives, ``raw_mfcc_<name>.N.{ark,scp}``.
        mfcc_config: option file, Kaldi's or YAML; the de-mixing settings if None.
        nj, cmd: number of jobs and the command that runs them; empty for this machine.
        compress: store 8-bit values, about a quarter of the size, as Kaldi does by default.
        logdir: folder for the logs; ``<data>/log`` if None.
        max_dropped_share: share of utterances that may fail.
        seed: of the dither, which depends on nothing else but the utterance's name.
        job: compute piece 1..nj into ``out`` and do no more; 0 starts the jobs.

    Raises:
        ConfigError: for a bad option file; nothing has been started.
        DataDirError, JobError: if too many were dropped or a job failed; ``feats.scp`` is as it was.
    """
    config = read_mfcc_config(mfcc_config)
    if job:
        from zspex_toolkit.infer.mfcc_job import mfcc_job  # loads torch, which the parent does not need

        mfcc_job(data, out, config=config, compress=compress, seed=seed, job=job, nj=nj)
        return
    archive = f"raw_mfcc_{data.resolve().name}"
    jobs = FeatureJobs("make_mfcc", data, out, archive, "feats.scp", nj, cmd, logdir, max_dropped_share)
    run_feature_jobs(jobs, {"mfcc_config": mfcc_config, "compress": compress, "seed": seed}, tables=["utt2num_frames"])
    write_text(data / "frame_shift", f"{config.frame_shift_ms / 1000:g}\n")
    write_text(data / "conf" / "mfcc.conf", kaldi_option_text(config))
