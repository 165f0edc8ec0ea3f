"""Features that earlier stages wrote: feats.scp and vad.scp of a data directory, normalised and kept in memory."""

from __future__ import annotations

from os import PathLike

import torch
from torch import Tensor

from zspex_toolkit.data.front_end import check_front_end
from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.archive import ArrayTable
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.sized_cache import SizedCache
from zspex_toolkit.signal.front_end import FrontEnd, FrontEndConfig


class StoredFeatures:
    """Normalised voiced frames of each utterance of a data directory.

    Args:
        path: data directory with ``feats.scp`` (raw MFCC) and ``vad.scp``.
        front_end: its sliding mean and voiced-frame selection are applied to what is read.
        cache_bytes: how much is kept in memory; the least recently used goes first.

    Raises:
        DataDirError: if an utterance lacks features or decisions, or they were made with another front end; names the
            file.
    """

    def __init__(self, path: str | PathLike, front_end: FrontEndConfig, *, cache_bytes: int = 4 << 30):
        self.data = DataDir.load(path).compact()
        check_front_end(path, front_end)
        self.utterances = self.data.utterances
        self.utt2spk = self.data.utt2spk
        self._feats = self._table("feats.scp", made_by="make_mfcc")
        self._voiced = self._table("vad.scp", made_by="compute_vad")
        self._front_end = FrontEnd(front_end)
        self._cache = SizedCache(self._read, cache_bytes)

    def __getitem__(self, utt: str) -> Tensor:
        """(L, F) float32, L >= 1."""
        return self._cache[utt]

    def _read(self, utt: str) -> Tensor:
        mfcc = torch.from_numpy(self._feats[utt].astype("float32"))
        voiced = torch.from_numpy(self._voiced[utt]) > 0.5
        if len(mfcc) != len(voiced):
            where = self.data.path / "vad.scp"
            raise DataDirError(f"{where}: expected {len(mfcc)} decisions for '{utt}', as frames, found {len(voiced)}")
        return self._front_end.from_mfcc(mfcc, voiced).contiguous()

    def _table(self, name: str, made_by: str) -> ArrayTable:
        table = self.data.feature_table(name)
        for utt in self.utterances:
            if utt not in table.specs:
                where = self.data.path / name
                raise DataDirError(f"{where}: no line for '{utt}'; run {made_by}, or fix_data_dir if that dropped it")
        return table.compact()

    def draw(self, utt: str, rng: object) -> tuple[Tensor, str]:
        """Features and speaker of an utterance; nothing is random about what is stored."""
        return self[utt], self.utt2spk[utt]
