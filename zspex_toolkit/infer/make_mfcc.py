"""MFCC of every utterance of a data directory, as Kaldi's ``steps/make_mfcc.sh`` leaves them."""

from __future__ import annotations

from pathlib import Path

from zspex_toolkit.infer.feature_jobs import FeatureJobs, run_feature_jobs
from zspex_toolkit.infer.option_file import kaldi_option_text, read_options
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.signal.mfcc_config import DEMIXING, MfccConfig

KALDI_NAMES = {
    "sample-frequency": "fs",
    "frame-length": "frame_length_ms",
    "frame-shift": "frame_shift_ms",
    "num-mel-bins": "num_mel_bins",
    "num-ceps": "num_ceps",
    "low-freq": "low_hz",
    "high-freq": "high_hz",
    "dither": "dither",
    "preemphasis-coefficient": "preemphasis",
    "remove-dc-offset": "remove_dc",
    "window-type": "window",
    "blackman-coeff": "blackman_coeff",
    "use-energy": "use_energy",
    "raw-energy": "raw_energy",
    "energy-floor": "energy_floor",
    "cepstral-lifter": "cepstral_lifter",
    "snip-edges": "snip_edges",
    "round-to-power-of-two": "round_to_power_of_two",
}
# options of Kaldi's whose other values this toolkit does not have
WITHOUT_EFFECT = {
    "allow-downsample": "false",
    "allow-upsample": "false",
    "channel": "-1",
    "debug-mel": "false",
    "htk-compat": "false",
    "subtract-mean": "false",
    "vtln-warp": "1.0",
}


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


def read_mfcc_config(path: Path | None) -> MfccConfig:
    """Settings from an option file; those of speaker embedding de-mixing if there is none."""
    if path is None:
        return DEMIXING
    return read_options(path, MfccConfig, KALDI_NAMES, without_effect=WITHOUT_EFFECT)
