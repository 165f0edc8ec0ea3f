"""Many recordings in one file, a Kaldi archive or a tar: written whole, and found again by offsets."""

from __future__ import annotations

import io
import os
import struct
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

import numpy as np
import soundfile

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.blanks import is_id
from zspex_toolkit.io.file_name import file_name_of

_PCM, _FLOAT = 1, 3  # WAVE's format tags


def exact_wav(samples: np.ndarray, fs: int) -> bytes:
    """A WAV file of samples, float32 (T,), from which they are read back to the last bit.

    16-bit where 16 bits hold them, as they do what was stored with 16 bits or fewer; otherwise 32-bit floating point.
    """
    steps = samples * np.float32(32768)
    exact = bool((steps == np.rint(steps)).all()) and steps.min() >= -32768 and steps.max() <= 32767
    tag, data = (_PCM, steps.astype("<i2")) if exact else (_FLOAT, samples.astype("<f4"))
    width = data.itemsize
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, tag, 1, fs, fs * width, width, 8 * width)
    if tag != _PCM:
        head += b"fact" + struct.pack("<II", 4, len(samples))
    content = head + b"data" + struct.pack("<I", data.nbytes) + data.tobytes()
    return b"RIFF" + struct.pack("<I", len(content)) + content


def write_shard(path: str | os.PathLike, recordings: Iterable[tuple[str, bytes]]) -> list[int]:
    """Write recordings (key, WAV file) to a Kaldi archive (``.ark``) or a tar of ``<key>.wav`` (``.tar``), atomically.

    Returns:
        Where each WAV file begins; ``<path>:<offset>`` is its place in ``wav.scp``.
    """
    write = _WRITERS[Path(path).suffix]
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        return write(stream, recordings)


def _write_ark(stream: BinaryIO, recordings: Iterable[tuple[str, bytes]]) -> list[int]:
    offsets = []
    for key, wav in recordings:
        stream.write(f"{key} ".encode())
        offsets.append(stream.tell())
        stream.write(wav)
    return offsets


def _write_tar(stream: BinaryIO, recordings: Iterable[tuple[str, bytes]]) -> list[int]:
    offsets = []
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for key, wav in recordings:
            member = tarfile.TarInfo(
                f"{file_name_of(key)}.wav"
            )  # without time and owner: the same audio gives the same tar
            member.size = len(wav)
            tar.addfile(member, io.BytesIO(wav))
            offsets.append(tar.offset - -(-len(wav) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
    return offsets


_WRITERS = {".ark": _write_ark, ".tar": _write_tar}
FORMATS = tuple(suffix.removeprefix(".") for suffix in _WRITERS)


def _id_of(key: str) -> str:
    """The id whose file has this name, if :func:`file_name_of` made it; else the name as it is."""
    plain = unquote(key)
    return plain if file_name_of(plain) == key else key


def index_tar(path: str | os.PathLike) -> dict[str, int]:
    """Where the recordings of a tar begin, by their names without the suffix of audio; other members are passed over.

    Raises:
        DataDirError: for what is no tar, is compressed or was cut off, or holds a name with blanks or twice.
    """
    found: dict[str, int] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                key, suffix = os.path.splitext(member.name.removeprefix("./"))
                if not member.isreg() or suffix.lower() not in _AUDIO:
                    continue
                if key in found:
                    raise DataDirError(f"{path}: '{key}' is there twice")
                if not is_id(key):
                    raise DataDirError(f"{path}: expected names without blanks, got '{member.name}'")
                found[_id_of(key)] = member.offset_data
    except OSError as error:
        raise DataDirError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except tarfile.TarError as error:
        raise DataDirError(f"{path}: expected a whole tar without compression ({error})") from error
    return found


_AUDIO = {".sph", *(f".{name.lower()}" for name in soundfile.available_formats())}
