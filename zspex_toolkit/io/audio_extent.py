"""How many bytes of samples a header promises, and whether they are there: libsndfile takes what there is, silently.

WAV (RIFF, RIFX, RF64), W64, AIFF, CAF, AU and NIST SPHERE tell the size of their samples, Ogg marks its last page, and
MP3 counts its frames and bytes where its encoder left a Xing header.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

# From here on a size in a RIFF header means "as much as there is": sox and ffmpeg write it into a pipe.
UNKNOWN_SIZE = 0x7FFF0000
NIST_BYTES = 1024
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_MOST_PADDING = 4096  # bytes
_MP3_FRONT = 1 << 12  # the Xing header lies in the first frame, which is shorter
_CUT_OFF = "cut off: its header promises {} bytes of samples, it has {}"


@dataclass(frozen=True)
class _Container:
    """A file of chunks: where the first one is, how a chunk begins, and the name of that with the samples.

    ``own`` is how many bytes of a chunk's size its head counts for, ``front`` how many lie before the samples.
    """

    first: int
    head: str
    data: bytes
    align: int = 2
    own: int = 0
    front: int = 0
    form: tuple[str, int, int] | None = None  # of the size of the whole: its form, its place, what to add to it


_CONTAINERS = {
    b"RIFF": _Container(12, "<4sI", b"data", form=("<I", 4, 8)),
    b"RIFX": _Container(12, ">4sI", b"data", form=(">I", 4, 8)),
    b"RF64": _Container(12, "<4sI", b"data"),
    b"riff": _Container(40, "<16sQ", b"data" + _W64_TAIL, align=8, own=24, form=("<Q", 16, 0)),
    b"FORM": _Container(12, ">4sI", b"SSND", front=8, form=(">I", 4, 8)),
    b"caff": _Container(8, ">4sq", b"data", align=1, front=4),
}


def length_fault(stream: BinaryIO) -> str | None:
    """What is wrong with the size of an audio file by its own header, to go on with after the file's name.

    Args:
        stream: any audio file; it is left anywhere.

    Returns:
        None where header and file agree, or the header does not tell: the samples then go on to the end of the file.
    """
    end = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    magic = stream.read(4)
    if magic in _CONTAINERS:
        return _fault_of_chunks(stream, _CONTAINERS[magic], end)
    if magic in (b".snd", b"dns."):
        return _fault_of_au(stream, ">" if magic == b".snd" else "<", end)
    if magic == b"NIST":
        return _fault_of_sphere(stream, end)
    if magic == b"OggS":
        return _fault_of_ogg(stream, end)
    if magic[:3] == b"ID3" and _behind_tag(stream) == b"fLaC":
        return None
    if magic[:3] == b"ID3" or (magic[:1] == b"\xff" and len(magic) > 1 and magic[1] & 0xE0 == 0xE0):
        return _fault_of_mp3(stream, end)
    return None


def samples_in_fact(stream: BinaryIO) -> int | None:
    """Samples per channel by the ``fact`` chunk of a WAV file, whose codec has blocks; None if it does not tell."""
    stream.seek(0)
    container = _CONTAINERS.get(stream.read(4))
    if container is None or b"data" not in container.data:
        return None
    for name, start, size in _chunks(stream, container, container.first):
        if name[:4] == b"fact" and size >= 4:
            stream.seek(start)
            count = struct.unpack(container.head[0] + "I", stream.read(4))[0]
            return count if 0 < count < 0xFFFFFFFF else None
        if name == container.data:
            return None
    return None


def _chunks(stream: BinaryIO, container: _Container, position: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and size of each chunk from ``position`` on, as far as they go on."""
    length = struct.calcsize(container.head)
    while True:
        stream.seek(position)
        head = stream.read(length)
        if len(head) < length:
            return
        name, size = struct.unpack(container.head, head)
        size -= container.own
        yield name, position + length, size
        if size < 0:
            return
        position += length + size
        position += -position % container.align


def _fault_of_chunks(stream: BinaryIO, container: _Container, end: int) -> str | None:
    long_size = None
    for name, start, size in _chunks(stream, container, container.first):
        if name == b"ds64":  # of RF64: bytes of all, bytes of samples
            stream.seek(start + 8)
            long_size = struct.unpack("<Q", stream.read(8).ljust(8, b"\0"))[0]
        if name != container.data:
            continue
        if size == 0xFFFFFFFF and long_size is not None:
            size = long_size
        unknown = size < 0 or (container.head.endswith("I") and size >= UNKNOWN_SIZE and size != long_size)
        first = start + container.front
        if unknown or long_size == 2**64 - 1:
            return None
        stop = max(start + size, first)
        if stop > end:
            return _CUT_OFF.format(stop - first, max(end - first, 0))
        return _fault_behind(stream, container, stop, end, stop - first)
    return None


def _fault_behind(stream: BinaryIO, container: _Container, stop: int, end: int, promised: int) -> str | None:
    """What is wrong with the bytes behind the samples: further chunks may follow there, and whatever the size of the
    whole leaves out."""
    position = stop + -stop % container.align
    if position >= end or _form_end(stream, container, end) <= position or _is_padding(stream, stop, end):
        return None
    if stop != position and _is_chunk(stream, container, stop, end):  # some writers leave the byte between out
        position = stop
    for name, start, size in _chunks(stream, container, position):
        if name == container.data:
            return "holds two parts of samples; write them to one file each"
        if not name[:4].isascii() or not name[:4].decode().isprintable() or not 0 <= size <= end - start:
            break
        position = start + size + -(start + size) % container.align
    return None if position >= end else _goes_on(promised, end - stop)


def _is_chunk(stream: BinaryIO, container: _Container, position: int, end: int) -> bool:
    """Whether a chunk that ends with the file begins there."""
    name, start, size = next(_chunks(stream, container, position), (b"", 0, -1))
    return name[:4].isalnum() and size >= 0 and start + size + -(start + size) % container.align in (end, end + 1)


def _form_end(stream: BinaryIO, container: _Container, end: int) -> int:
    """Where the file ends by its own word; the end of the file where it says nothing of use."""
    if container.form is None:
        return end
    code, place, more = container.form
    stream.seek(place)
    size = struct.unpack(code, stream.read(struct.calcsize(code)))[0]
    return size + more if size else end


def _goes_on(promised: int, follow: int) -> str:
    return (
        f"its header promises {promised} bytes of samples, {follow} bytes more follow, as after a recorder was cut off;"
        " write it anew: sox --ignore-length FILE NEW.wav"
    )


def _fault_of_au(stream: BinaryIO, order: str, end: int) -> str | None:
    head = stream.read(8)
    if len(head) < 8:
        return None
    first, size = struct.unpack(f"{order}II", head)
    if size == 0xFFFFFFFF or first > end:
        return None
    if first + size > end:
        return _CUT_OFF.format(size, end - first)
    return _goes_on(size, end - first - size) if first + size < end else None


def _fault_of_sphere(stream: BinaryIO, end: int) -> str | None:
    stream.seek(0)
    head = stream.read(NIST_BYTES)
    if b"embedded" in head:  # packed: its size tells nothing of its samples
        return None
    first = re.match(rb"NIST_1A\s+(\d+)", head)
    # libsndfile writes the width of mu-law and A-law as a text: -s1 1
    kind = rb"\b%s -(?:i|s\d+) (\d+)"
    fields = {name: re.search(kind % name, head) for name in (b"sample_count", b"sample_n_bytes")}
    if first is None or None in fields.values():
        return None
    channels = re.search(kind % b"channel_count", head)
    size = int(channels[1]) if channels else 1
    for field in fields.values():
        size *= int(field[1])
    there = end - int(first[1])
    if size > there:
        return _CUT_OFF.format(size, max(there, 0))
    return _goes_on(size, there - size) if size < there else None


def _is_padding(stream: BinaryIO, start: int, end: int) -> bool:
    """Whether nothing but a few zeros lies there, as writers of whole blocks leave them."""
    if end - start > _MOST_PADDING:
        return False
    stream.seek(start)
    return not stream.read(end - start).strip(b"\0")


def _fault_of_ogg(stream: BinaryIO, end: int) -> str | None:
    """The last page of an Ogg stream says that it is the last."""
    position, num_streams, is_last = 0, 0, False
    while position < end:
        stream.seek(position)
        head = stream.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            break
        sizes = stream.read(head[26])
        num_streams += bool(head[5] & 2)
        is_last = bool(head[5] & 4)
        position += 27 + len(sizes) + sum(sizes)
    if num_streams > 1:
        return f"holds {num_streams} streams of Ogg; write them to one file each"
    if position > end or not is_last:
        return f"cut off: it has no last page of Ogg in its {end} bytes"
    return None if position == end else _goes_on(position, end - position)


def _end_of_tag(stream: BinaryIO) -> int:
    """The first byte behind an ID3v2 tag; 0 without one."""
    stream.seek(0)
    head = stream.read(10)
    size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
    return 10 + size if head[:3] == b"ID3" else 0


def _behind_tag(stream: BinaryIO) -> bytes:
    stream.seek(_end_of_tag(stream))
    return stream.read(4)


def _fault_of_mp3(stream: BinaryIO, end: int) -> str | None:
    first = _end_of_tag(stream)
    stream.seek(first)
    front = stream.read(_MP3_FRONT)
    tag = re.search(rb"Xing|Info", front[:256])
    flags = front[tag.end() + 3] if tag and len(front) > tag.end() + 12 else 0
    if not flags & 1:
        return "MP3 that does not tell its length (no Xing header); write it anew: ffmpeg -i FILE NEW.wav"
    if not flags & 2:
        return None
    size = int.from_bytes(front[tag.end() + 8 : tag.end() + 12], "big")
    if first + size > end:
        return _CUT_OFF.format(size, end - first)
    stream.seek(first + size)
    behind = stream.read(2)  # tags may follow, but no frame
    is_frame = len(behind) == 2 and behind[0] == 0xFF and behind[1] & 0xE0 == 0xE0
    return _goes_on(size, end - first - size) if is_frame else None
