"""Clues from wherever they come: recordings, files of clues, embeddings that other networks made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from zspex_toolkit.errors import DataDirError, UserError
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.recording import enroll_recordings, to_stderr
from zspex_toolkit.io.archive import read_array, read_scp
from zspex_toolkit.models.clue import Clue

CLUE = "clue:"  # before the place of a clue, where recordings are expected


def clue_of(extractor: Extractor, sources: Sequence[str], *, say: Callable[[str], None] = to_stderr) -> Clue:
    """The clue, one row, of a speaker.

    Args:
        extractor: for which it is.
        sources: recordings of the speaker, or ``clue:`` and where a clue lies; several are joined.
        say: takes remarks, a line each.

    Raises:
        UserError: naming what is missing, broken or unfit.
    """
    files = [source.removeprefix(CLUE) for source in sources if source.startswith(CLUE)]
    recordings = [source for source in sources if not source.startswith(CLUE)]
    clues = [read_clue(extractor, file) for file in files]
    if recordings or not files:
        clues.append(enroll_recordings(extractor, recordings, say=say))
    return extractor.network.join(clues)


def read_clue(extractor: Extractor, place: str) -> Clue:
    """The clue of one speaker from a file that ``zspex enroll`` wrote, or an embedding (:func:`read_embedding`).

    Raises:
        UserError: if there is none there, or it is not of this network, or the network does not take embeddings.
    """
    if not _is_embedding(place):
        clue, made_by = Clue.load(place)
        if made_by and made_by != fingerprint(extractor.network):
            raise UserError(f"{place}: a clue of another model; enroll again, with this one")
        if len(clue) != 1:
            raise UserError(f"{place}: expected the clue of one speaker, found {len(clue)}")
        if made_by:
            return clue.to(extractor.device)
    else:
        clue = Clue(torch.from_numpy(read_embedding(place))[None])
    expected, found = extractor.network.clue_dim, None if clue.embedding is None else clue.embedding.shape[1]
    if not expected:
        raise UserError(
            f"{place}: this model makes its own clues, of recordings; give --enrollment, or train a network that takes "
            "embeddings (clue_dim)"
        )
    if found != expected:
        raise UserError(f"{place}: expected an embedding of {expected} numbers, as the model takes, found {found}")
    return clue.to(extractor.device)


def read_embedding(place: str) -> np.ndarray:
    """float32 (D,) from ``e.npy``, an archive's ``e.ark:offset``, or the entry ``key`` of a script, ``e.scp:key``.

    Raises:
        DataDirError: if there is no vector of finite numbers.
    """
    path, _, key = place.partition(".scp:")
    if key:
        table = read_scp(f"{path}.scp")
        if key not in table:
            raise DataDirError(f"{path}.scp: no line for '{key}'")
        vector = table[key]
    elif place.endswith(".npy"):
        try:
            vector = np.load(place, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataDirError(f"{place}: no array of numbers ({' '.join(str(error).split())})") from error
    else:
        vector = read_array(place)
    if vector.ndim != 1 or vector.dtype.kind not in "fiu" or not np.isfinite(vector).all():
        raise DataDirError(f"{place}: expected one vector of finite numbers, found {vector.dtype} {vector.shape}")
    return vector.astype(np.float32)


def fingerprint(network: nn.Module) -> str:
    """Of a network's weights: a clue that one made is of no use to another."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _is_embedding(place: str) -> bool:
    return place.endswith(".npy") or ".scp:" in place or ".ark:" in place
