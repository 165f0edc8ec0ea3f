"""Recordings whose length only their decoder knows: decoded to the end, and counted against what the header says."""

from __future__ import annotations

import os
import tempfile
from typing import BinaryIO

import numpy as np
import soundfile

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.audio_extent import samples_in_fact

_CONTAINERS = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "FLAC", "OGG", "MP3"}
_FIXED_WIDTH = {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"}
# Samples per block at most: the last block of such a file is filled up.
_BLOCK_CODECS = {"IMA_ADPCM", "MS_ADPCM", "GSM610"}
_MP3 = {"MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"}
_CODECS = _FIXED_WIDTH | _BLOCK_CODECS | _MP3 | {"VORBIS", "OPUS"}
_FILLED_UP = 4096  # samples: two blocks of the longest codec
_NO_LENGTH = 1 << 62  # libsndfile's number of samples where the header has none is above
_BLOCK = 1 << 16
_IN_MEMORY = 1 << 26  # bytes of decoded audio that are kept off the disk
_FLAC_TOTAL = range(21, 26)  # bytes of STREAMINFO; the upper four bits of the first belong to the sample width


class Sequential(soundfile.SoundFile):
    """A recording that is read from front to end without a seek, as streams of unknown length have to be."""

    def seekable(self) -> bool:
        return False


class Decoded(soundfile.SoundFile):
    """The copy of a recording that had to be decoded whole: opening the recording again costs all of that again."""


class CountedFlac(Sequential):
    """A FLAC file that is read from front to end, and complains if the end is not where its header says.

    Args:
        stream: the file.
        num_samples: its header's length.
        source: what messages call it.
    """

    def __init__(self, stream: BinaryIO, num_samples: int, source: str | os.PathLike):
        super().__init__(_WithoutTotal(stream))
        self.frames, self._source = num_samples, source
        self._done = 0

    frames = 0  # in place of libsndfile's, which knows none

    def read(self, frames: int = -1, **options: object) -> np.ndarray:
        samples = super().read(min(frames, self.frames - self._done), **options)
        self._done += len(samples)
        if self._done == self.frames and self._goes_on():
            raise AudioError(
                f"{self._source}: its header promises {self.frames} samples, more follow; write it anew: flac -d, flac"
            )
        return samples

    def _goes_on(self) -> bool:
        try:
            return len(super().read(1, dtype="int16")) > 0
        except soundfile.LibsndfileError:  # no frame of FLAC, such as a tag
            return False


def check_supported(sound: soundfile.SoundFile) -> None:
    """Refuse the formats of libsndfile in which a file that was cut off cannot be told from a whole one.

    Raises:
        AudioError: without the file's name.
    """
    if sound.format not in _CONTAINERS or sound.subtype not in _CODECS:
        raise AudioError(
            f"{sound.format} with {sound.subtype} is not supported (docs/data_format.md lists what is);"
            " convert it: ffmpeg -i FILE NEW.wav"
        )


def must_be_decoded(sound: soundfile.SoundFile) -> bool:
    """Whether the length that libsndfile tells is an estimate, a number of whole blocks, or none at all."""
    return sound.subtype in _BLOCK_CODECS | _MP3 or sound.frames >= _NO_LENGTH


def decoded(stream: BinaryIO) -> soundfile.SoundFile:
    """The recording, decoded to its end, as a file of its own in memory, or if it is long in a temporary file.

    Raises:
        AudioError: without the file's name, if it has fewer samples than its header promises, or many more.
        soundfile.LibsndfileError: if it is broken.
    """
    promised = samples_in_fact(stream)
    stream.seek(0)
    spool = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - lives as long as the file of audio in it
    with Sequential(stream) as sound:
        if sound.subtype in _MP3:
            promised = sound.frames
        whole_numbers = sound.subtype in _BLOCK_CODECS | {"PCM_S8", "PCM_16"}
        dtype, subtype = ("int16", "PCM_16") if whole_numbers else ("float32", "FLOAT")
        with soundfile.SoundFile(spool, "w", sound.samplerate, sound.channels, subtype, format="RF64") as copy:
            left = promised if promised is not None else _NO_LENGTH
            count = 0
            while len(block := sound.read(_BLOCK, dtype=dtype)):
                copy.write(block[: max(left - count, 0)])
                count += len(block)
    if promised is not None and not promised <= count <= promised + _FILLED_UP:
        what = "cut off: " if count < promised else ""
        raise AudioError(f"{what}its header promises {promised} samples, it has {count}")
    spool.seek(0)
    return Decoded(spool)


class _WithoutTotal:
    """A FLAC file as if its header knew no length, so that it is decoded as far as it goes."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell
        stream.seek(0)

    def read(self, size: int = -1) -> bytes:
        start = self._stream.tell()
        if start > _FLAC_TOTAL[-1]:
            return self._stream.read(size)
        content = bytearray(self._stream.read(size))
        for place in _FLAC_TOTAL:
            if start <= place < start + len(content):
                content[place - start] &= 0xF0 if place == _FLAC_TOTAL[0] else 0
        return bytes(content)

    def write(self, content: bytes) -> int:
        raise OSError("opened for reading")
