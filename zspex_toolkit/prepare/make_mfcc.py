"""MFCC of every utterance of a data directory, as Kaldi's ``steps/make_mfcc.sh`` leaves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zspex_toolkit.data.front_end import read_mfcc_config
from zspex_toolkit.errors import AudioError, DataDirError
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.option_file import kaldi_option_text
from zspex_toolkit.io.table import write_table
from zspex_toolkit.prepare.feature_jobs import logged_progress, piece_of, run_feature_jobs
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.front_end_config import MfccConfig

if TYPE_CHECKING:
    from zspex_toolkit.signal.mfcc import Mfcc

GROUP_SAMPLES = 1 << 20  # computed together: a minute at 16 kHz, or one longer utterance

Utterance = tuple[str, np.ndarray]  # id, samples (T,)


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
        mfcc_job(config, mfcc)
        return
    archive = f"raw_mfcc_{config.data.resolve().name}"
    run_feature_jobs(config, command="make_mfcc", archive=archive, script="feats.scp", tables=["utt2num_frames"])
    write_text(config.data / "frame_shift", f"{mfcc.frame_shift_ms / 1000:g}\n")
    write_text(config.data / "conf" / "mfcc.conf", kaldi_option_text(mfcc))


def mfcc_job(config: Config, mfcc_config: MfccConfig) -> None:
    """Write ``out/<job>.ark`` and the tables ``scp.<job>``, ``utt2num_frames.<job>`` and ``dropped.<job>``."""
    import torch  # here and below: the command that starts the jobs does not need it

    from zspex_toolkit.signal.mfcc import Mfcc

    torch.set_num_threads(1)  # a job is one process on one core
    source, out, job = DataDir.load(config.data), config.out, config.job
    utterances = piece_of(source.utterances, job, config.nj)
    dropped: dict[str, str] = {}
    num_frames: dict[str, int] = {}
    with ArchiveWriter(out / f"{job}.ark", out / f"scp.{job}", compress=config.compress) as writer:
        recordings = _readable(source, logged_progress(utterances), mfcc_config, dropped)
        for utt, feats in compute_mfcc(recordings, Mfcc(mfcc_config), seed=config.seed):
            writer[utt] = feats
            num_frames[utt] = len(feats)
    for utt, reason in dropped.items():
        print(f"dropped {utt}: {reason}")
    write_table(out / f"dropped.{job}", dropped)
    write_table(out / f"utt2num_frames.{job}", num_frames)


def compute_mfcc(recordings: Iterable[Utterance], mfcc: Mfcc, *, seed: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Features (L, F) of each utterance, in order.

    Args:
        recordings: utterance and samples (T,), long enough for a frame each.
        mfcc: the computation.
        seed: of the dither.
    """
    import torch

    for group in _groups(recordings):
        generators = None
        if mfcc.config.dither:
            seeds = [int(rng_for(seed, "dither", utt).integers(1 << 62)) for utt, _ in group]
            generators = [torch.Generator().manual_seed(number) for number in seeds]
        feats = mfcc.packed([torch.from_numpy(samples) for _, samples in group], generators=generators)
        for (utt, _), rows in zip(group, feats, strict=True):
            yield utt, rows.numpy()


def _readable(
    source: DataDir, utterances: Iterable[str], config: MfccConfig, dropped: dict[str, str]
) -> Iterator[Utterance]:
    """Utterances that have features; the reason why others have not goes to ``dropped``."""
    for utt in utterances:
        try:
            samples, _ = source.read_audio(utt, fs=config.fs)
        except (AudioError, DataDirError) as error:
            dropped[utt] = " ".join(str(error).split())
            continue
        if not config.num_frames(len(samples)):
            dropped[utt] = f"too short: {len(samples)} samples, a frame has {config.frame_length}"
        elif _is_constant(samples):
            dropped[utt] = f"silent: all {len(samples)} samples are {samples[0]:g}"
        else:
            yield utt, samples


def _is_constant(samples: np.ndarray) -> bool:
    start = samples[:400]  # in speech these tell already, and the rest need not be looked at
    return bool((start == samples[0]).all() and (samples == samples[0]).all())


def _groups(recordings: Iterable[Utterance]) -> Iterator[list[Utterance]]:
    group: list[Utterance] = []
    size = 0
    for utt, samples in recordings:
        group.append((utt, samples))
        size += len(samples)
        if size >= GROUP_SAMPLES:
            yield group
            group, size = [], 0
    if group:
        yield group
