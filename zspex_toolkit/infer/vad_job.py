"""One job of ``compute_vad``: read features, decide frame by frame, write an archive."""

from __future__ import annotations

from pathlib import Path

import torch

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.infer.feature_jobs import piece_of
from zspex_toolkit.infer.job_progress import logged_progress
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import write_table
from zspex_toolkit.signal.vad import energy_vad
from zspex_toolkit.signal.vad_config import VadConfig


def vad_job(data: Path, out: Path, *, config: VadConfig, job: int, nj: int) -> None:
    """Write ``out/<job>.ark``, a vector of 0 and 1 per utterance, and the tables ``scp.<job>``, ``dropped.<job>``."""
    torch.set_num_threads(1)  # a job is one process on one core
    source = DataDir.load(data)
    table = source.feature_table("feats.scp")
    dropped: dict[str, str] = {}
    num_frames = num_voiced = num_silent = 0
    with ArchiveWriter(out / f"{job}.ark", out / f"scp.{job}") as writer:
        for utt in logged_progress(piece_of(source.utterances, job, nj)):
            try:
                voiced = _decide(table, utt, config)
            except DataDirError as error:
                dropped[utt] = " ".join(str(error).split())
                continue
            writer[utt] = voiced.float().numpy()
            num_frames += len(voiced)
            num_voiced += int(voiced.sum())
            num_silent += not voiced.any()
    for utt, reason in dropped.items():
        print(f"dropped {utt}: {reason}")
    print(f"{num_voiced} of {num_frames} frames are voiced; {num_silent} utterances have no voiced frame at all")
    write_table(out / f"dropped.{job}", dropped)


def _decide(table, utt: str, config: VadConfig) -> torch.Tensor:
    if utt not in table:
        raise DataDirError(f"{table.path}: no line for '{utt}'; run make_mfcc first")
    feats = torch.from_numpy(table[utt])
    if feats.ndim != 2 or not len(feats):
        raise DataDirError(f"{table.specs[utt]}: expected a matrix of frames, found shape {tuple(feats.shape)}")
    return energy_vad(feats[None], config=config)[0]
