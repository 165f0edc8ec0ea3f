"""What an audio file's own header promises; libsndfile reads a cut-off file as a shorter one without a word."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

# Sizes from here on stand for "unknown": sox and ffmpeg write them when they write into a pipe.
_UNKNOWN_SIZE = 0x7FFF0000
_NIST_BYTES = 1024


def declared_num_samples(stream: BinaryIO) -> int | None:
    """Samples per channel that the header of a WAV or NIST SPHERE file promises; None if it does not say.

    Args:
        stream: at the start of the file; it is left anywhere.
    """
    head = stream.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return _declared_by_riff(stream)
    if head[:7] == b"NIST_1A":
        count = re.search(rb"sample_count -i (\d+)", head + stream.read(_NIST_BYTES))
        return int(count[1]) if count else None
    return None


def is_shortened_sphere(stream: BinaryIO) -> bool:
    """Whether this is NIST SPHERE packed by ``shorten`` or the like, as WSJ's .wv1 files are."""
    head = stream.read(_NIST_BYTES)
    return head[:7] == b"NIST_1A" and re.search(rb"sample_coding -s\d+ \S*embedded", head) is not None


def _declared_by_riff(stream: BinaryIO) -> int | None:
    block_align = 0
    while len(chunk := stream.read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        if name == b"data":
            return size // block_align if block_align and size < _UNKNOWN_SIZE else None
        body = stream.read(size + size % 2)  # chunks begin at even offsets
        if name == b"fmt " and len(body) >= 14:
            block_align = struct.unpack_from("<H", body, 12)[0]
    return None
