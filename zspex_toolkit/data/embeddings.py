"""Embeddings that were written to archives, with their speakers."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.archive import read_scp
from zspex_toolkit.io.compact_table import Texts
from zspex_toolkit.io.table import read_table


def read_embeddings(path: str | PathLike) -> tuple[list[str], Tensor]:
    """Keys and embeddings (N, D) of a script file, such as ``spk_xvector.scp``.

    Raises:
        DataDirError: if it is empty or its embeddings differ in size.
    """
    table = read_scp(path)
    keys = list(table)
    if not keys:
        raise DataDirError(f"{path}: expected embeddings, found none")
    arrays = [np.asarray(table[key], np.float32) for key in keys]
    for key, array in zip(keys, arrays, strict=True):
        if array.shape != arrays[0].shape or array.ndim != 1:
            raise DataDirError(f"{path}: '{key}': expected a vector of {arrays[0].size}, found shape {array.shape}")
    return keys, torch.from_numpy(np.stack(arrays))


class EmbeddingTable:
    """The embeddings of a script file in memory, as clues from elsewhere.

    Args:
        path: such as ``xvector.scp``.
        keys: that must be in it; others are not kept.
        dim: numbers that each must have.

    Raises:
        DataDirError: if one is missing, or of another size.
    """

    def __init__(self, path: str | PathLike, keys: Iterable[str], dim: int):
        table = read_scp(path)
        self._number = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        self._rows = np.empty((len(self._number), dim), np.float32)
        for key, number in self._number.items():
            if key not in table:
                raise DataDirError(f"{path}: no line for '{key}'")
            vector = table[key]
            if vector.shape != (dim,):
                raise DataDirError(f"{path}: '{key}': expected {dim} numbers (clue_dim), found shape {vector.shape}")
            self._rows[number] = vector

    def mean(self, keys: Iterable[str]) -> np.ndarray:
        """float32 (D,), the mean of some."""
        return self._rows[[self._number[key] for key in keys]].mean(axis=0)


class LabelledEmbeddings:
    """Embeddings of a directory with ``xvector.scp`` and ``utt2spk``.

    Attributes:
        speakers: the classes, sorted.
        embedding_dim: size of the embeddings.
    """

    def __init__(self, path: str | PathLike):
        keys, self._embeddings = read_embeddings(Path(path) / "xvector.scp")
        utt2spk = read_table(Path(path) / "utt2spk")
        missing = [key for key in keys if key not in utt2spk]
        if missing:
            raise DataDirError(f"{path}/utt2spk: no line for '{missing[0]}' of xvector.scp")
        self.speakers = tuple(sorted({utt2spk[key] for key in keys}))
        self.embedding_dim = self._embeddings.shape[1]
        number = {spk: position for position, spk in enumerate(self.speakers)}
        self._labels = torch.tensor([number[utt2spk[key]] for key in keys])
        self._keys = Texts(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, epoch: int, index: int) -> tuple[str, Tensor, Tensor]:
        """Key, embedding (D,) and number of the speaker; the same in every epoch."""
        return self._keys[index], self._embeddings[index], self._labels[index]

    def name(self, index: int) -> str:
        """The key of an item, for messages."""
        return self._keys[index]

    @staticmethod
    def collate(items: list[tuple[str, Tensor, Tensor]]) -> dict[str, Any]:
        """``embedding`` (B, D), ``speaker`` (B,), ``ids``."""
        ids, embeddings, speakers = zip(*items, strict=True)
        return {"ids": list(ids), "embedding": torch.stack(embeddings), "speaker": torch.stack(speakers)}
