"""Which frames of a data directory hold speech, as Kaldi's ``sid/compute_vad_decision.sh`` leaves it."""

from __future__ import annotations

from pathlib import Path

from zspex_toolkit.data.feature_options import read_vad_config
from zspex_toolkit.errors import DataDirError
from zspex_toolkit.infer.feature_jobs import FeatureJobs, run_feature_jobs
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.option_file import kaldi_option_text
from zspex_toolkit.signal.vad_config import KALDI_NAMES


def compute_vad(
    data: Path,
    out: Path,
    *,
    vad_config: Path | None = None,
    nj: int = 1,
    cmd: str = "",
    logdir: Path | None = None,
    max_dropped_share: float = 0.0,
    job: int = 0,
) -> None:
    """Write ``vad.scp`` and ``conf/vad.conf`` into a data directory, from its ``feats.scp``.

    Args:
        data: data directory with ``feats.scp``: raw MFCC whose first coefficient is the log energy.
        out: folder for the archives, ``vad_<name>.N.{ark,scp}``.
        vad_config: option file, Kaldi's or YAML; the values of Kaldi's speaker recipes if None.
        nj, cmd: number of jobs and the command that runs them; empty for this machine.
        logdir: folder for the logs; ``<data>/log`` if None.
        max_dropped_share: share of utterances that may fail.
        job: compute piece 1..nj into ``out`` and do no more; 0 starts the jobs.

    Raises:
        ConfigError: for a bad option file; nothing has been started.
        DataDirError, JobError: if too many were dropped or a job failed; ``vad.scp`` is as it was.
    """
    config = read_vad_config(vad_config)
    if job:
        from zspex_toolkit.infer.vad_job import vad_job  # loads torch, which the parent does not need

        vad_job(data, out, config=config, job=job, nj=nj)
        return
    if data.is_dir() and not (data / "feats.scp").exists():
        raise DataDirError(f"{data / 'feats.scp'}: no such file; run make_mfcc first")
    archive = f"vad_{data.resolve().name}"
    jobs = FeatureJobs("compute_vad", data, out, archive, "vad.scp", nj, cmd, logdir, max_dropped_share)
    run_feature_jobs(jobs, {"vad_config": vad_config})
    write_text(data / "conf" / "vad.conf", kaldi_option_text(config, KALDI_NAMES))
