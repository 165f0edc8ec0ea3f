"""Audio files as streams: a file of its own, or an entry of a Kaldi archive or tar, of which no other entry is read."""

from __future__ import annotations

import io
import os
import re
import struct
import tarfile
from typing import BinaryIO

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.audio_extent import NIST_BYTES, UNKNOWN_SIZE

BUFFER_BYTES = 1 << 18  # few reads a file
_PLACE = re.compile(r"(.+):(\d+)")


def open_source(source: str) -> io.BufferedIOBase:
    """The file of this name or, of ``path:offset``, the audio that begins there, open for reading.

    A file may bear a name like ``path:offset`` itself. Of what looks like an archive or tar this is asked only where
    there is no such audio: shards are for disks to which every question about a file is dear.

    Raises:
        AudioError: if it cannot be opened, is empty or cut off, or no audio begins there.
    """
    found = _PLACE.fullmatch(source)
    is_shard = found is not None and found[1].lower().endswith((".ark", ".tar"))
    if found is None or (not is_shard and os.path.exists(source)):
        return open_file(source)
    try:
        return open_entry(found[1], int(found[2]))
    except AudioError:
        if is_shard and os.path.exists(source):
            return open_file(source)
        raise


def open_file(path: str | os.PathLike) -> io.BufferedReader:
    """The file open for reading.

    Raises:
        AudioError: if it cannot be opened or is empty.
    """
    try:
        stream = open(path, "rb", buffering=BUFFER_BYTES)  # noqa: SIM115 - closed by the caller
    except OSError as error:
        raise AudioError(f"{path}: {(error.strerror or 'not readable').lower()}") from error
    if not os.fstat(stream.fileno()).st_size:
        stream.close()
        raise AudioError(f"{path}: empty file")
    return stream


def open_entry(path: str, offset: int) -> io.BufferedIOBase:
    """The audio file whose first byte lies at ``offset`` of an archive, open for reading.

    How long it is, the 512 bytes before it tell in a tar (``path.tar``), its own first bytes in a Kaldi archive: RIFF
    as Kaldi writes it, ``AUDIO`` or FLAC as kaldiio does.

    Raises:
        AudioError: if no audio begins there, or it goes on behind the end of the archive.
    """
    stream = open_file(path)
    try:
        find = _tar_entry if path.lower().endswith(".tar") else _ark_entry
        start, size = find(stream, f"{path}:{offset}", offset)
        if size > BUFFER_BYTES:
            return io.BufferedReader(_Part(stream, start, size), BUFFER_BYTES)
        stream.seek(start)
        whole = io.BytesIO(stream.read(size))
    except BaseException:
        stream.close()
        raise
    stream.close()
    return whole


def is_shortened_sphere(stream: BinaryIO) -> bool:
    """Whether this is NIST SPHERE packed by ``shorten`` or the like, as WSJ's .wv1 files are."""
    head = stream.read(NIST_BYTES)
    return head[:7] == b"NIST_1A" and re.search(rb"sample_coding -s\d+ \S*embedded", head) is not None


def _tar_entry(stream: io.BufferedReader, place: str, offset: int) -> tuple[int, int]:
    """Start and size of a tar's member by its header."""
    stream.seek(max(0, offset - tarfile.BLOCKSIZE))
    try:
        member = tarfile.TarInfo.frombuf(stream.read(min(tarfile.BLOCKSIZE, offset)), "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise AudioError(f"{place}: expected the data of a tar's member ({error}); is the offset right?") from error
    if not member.isreg():
        raise AudioError(f"{place}: '{member.name}' is no plain file; is the offset right?")
    there = os.fstat(stream.fileno()).st_size - offset
    if member.size > there:
        raise AudioError(f"{place}: cut off: expected {member.size} bytes of '{member.name}', the tar has {there}")
    return offset, member.size


def _ark_entry(stream: io.BufferedReader, place: str, offset: int) -> tuple[int, int]:
    """Start and size of the audio by its first bytes; to the end of the archive where they do not tell."""
    stream.seek(offset)
    head = stream.read(8)
    rest = os.fstat(stream.fileno()).st_size - offset
    if head[:4] == b"RIFF" and len(head) == 8:
        (size,) = struct.unpack("<I", head[4:])
        return offset, min(rest, 8 + size) if size < UNKNOWN_SIZE else rest
    if head[:5] == b"AUDIO" and len(head) > 5:
        width = head[5]  # kaldiio: one byte of width, then the length in so many bytes
        stream.seek(offset + 6)
        size = int.from_bytes(stream.read(width), "little")
        return offset + 6 + width, min(rest - 6 - width, size)
    if head[:4] == b"fLaC":
        return offset, rest
    raise AudioError(f"{place}: expected audio (RIFF, fLaC or AUDIO), found {head!r}; is the offset right?")


class _Part(io.RawIOBase):
    """Bytes ``start`` to ``start + size`` of a stream, as a stream of its own that closes it."""

    def __init__(self, stream: io.BufferedReader, start: int, size: int):
        self._stream, self._start, self._size = stream, start, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer) -> int:
        count = min(len(buffer), max(self._size - self._position, 0))
        self._stream.seek(self._start + self._position)
        count = self._stream.readinto(memoryview(buffer)[:count])
        self._position += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
