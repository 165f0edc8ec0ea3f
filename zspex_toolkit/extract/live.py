"""``zspex stream``: sound on standard input, one speaker's voice on standard output."""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

import numpy as np

from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.extract.clue_sources import CLUE, clue_of
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.streaming import VoiceStream

_WIDTH = 2  # bytes of a sample
_UNKNOWN = 0xFFFFFFFF  # size of a WAV file that is being written
_MOST_CHANNELS = 64


@dataclass(frozen=True)
class Config:
    """Settings of stream."""

    enrollment: tuple[str, ...] = ()  # recordings of the speaker, me.wav,me_too.wav
    clue: str | None = None  # in their place: a file of zspex enroll
    model: str | None = None  # a causal extractor's folder, or a name of zspex models; unset: the default of those
    format: Literal["raw", "wav"] = "raw"  # of input and output; raw: 16-bit little-endian samples without a header
    fs: int = 16000  # rate of raw input in Hz, and of its output
    channels: int = 1  # of raw input; their mean is taken
    block_ms: float = 20.0  # least that is computed at once
    device: str = "cpu"  # auto, cpu or cuda:N


def stream(config: Config, source: BinaryIO | None = None, sink: BinaryIO | None = None) -> VoiceStream:
    """Extract until the input ends or Ctrl-C is pressed; then tell latency and real-time factor on standard error.

    Args:
        config: the settings.
        source: the mixture; standard input if None.
        sink: gets the voice, one channel of 16 bits; standard output if None.

    Returns:
        The stream at its end.

    Raises:
        UserError: for a network that is not causal, an enrollment that is of no use, or input that is no WAV file.
    """
    source, sink = source or sys.stdin.buffer, sink or sys.stdout.buffer
    _check(config)
    extractor = Extractor.load(config.model, device=config.device)
    sources = config.enrollment if config.clue is None else (CLUE + config.clue,)
    clue = clue_of(extractor, sources)
    fs, channels = (config.fs, config.channels) if config.format == "raw" else read_wav_header(source)
    voice = VoiceStream(extractor, clue, fs)
    if config.format == "wav":
        sink.write(wav_header(fs))
        sink.flush()
    busy = 0.0
    try:
        for block in _blocks(source, channels, max(1, round(config.block_ms * fs / 1000))):
            began = time.process_time()
            _write(sink, voice.push(block))
            busy += time.process_time() - began
    except KeyboardInterrupt:
        print("stream: interrupted", file=sys.stderr)
    _write(sink, voice.finish())
    print(_summary(voice, busy), file=sys.stderr)
    return voice


def read_wav_header(source: BinaryIO) -> tuple[int, int]:
    """Rate in Hz and channels of a WAV file whose samples follow, as a recorder writes it into a pipe.

    Raises:
        AudioError: for anything but 16-bit PCM.
    """
    head = _exactly(source, 12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise AudioError("standard input: expected a WAV file, found none; raw samples need --format raw")
    fs = channels = 0
    while True:
        name, size = struct.unpack("<4sI", _exactly(source, 8))
        if name == b"data":
            break
        chunk = _exactly(source, size + size % 2)
        if name == b"fmt ":
            kind, channels, fs, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
            if kind == 0xFFFE and len(chunk) >= 26:  # extensible: the kind stands further on
                (kind,) = struct.unpack("<H", chunk[24:26])
            if (kind, bits) != (1, 8 * _WIDTH) or not channels or not fs:
                raise AudioError(
                    f"standard input: expected 16-bit PCM, found kind {kind} of {bits} bits; sox converts it"
                )
    if not fs:
        raise AudioError("standard input: a WAV file without a format")
    return fs, channels


def wav_header(fs: int) -> bytes:
    """Of one channel of 16 bits, and of a length that is not known yet."""
    form = struct.pack("<HHIIHH", 1, 1, fs, fs * _WIDTH, _WIDTH, 8 * _WIDTH)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", _UNKNOWN, b"WAVE", b"fmt ", len(form))
        + form
        + struct.pack("<4sI", b"data", _UNKNOWN)
    )


def _check(config: Config) -> None:
    if bool(config.enrollment) == bool(config.clue):
        raise ConfigError("expected --enrollment or --clue, and not both")
    for name, value, most in (("fs", config.fs, 384000), ("channels", config.channels, _MOST_CHANNELS)):
        if not 1 <= value <= most:
            raise ConfigError(f"{name}: expected 1 to {most}, got {value}")
    if not 0 < config.block_ms <= 10000:
        raise ConfigError(f"block_ms: expected a number above 0, 10000 at most, got {config.block_ms:g}")


def _blocks(source: BinaryIO, channels: int, size: int) -> Iterator[np.ndarray]:
    """(T, C) in [-1, 1], of ``size`` samples or, where more has come in meanwhile, as many as there are."""
    frame, pending = _WIDTH * channels, b""
    while True:
        read = source.read1(1 << 16)  # what there is, without waiting for more
        pending += read
        whole = len(pending) // frame * frame
        if whole and (whole >= size * frame or not read):
            yield np.frombuffer(pending[:whole], "<i2").reshape(-1, channels).astype(np.float32) / 32768
            pending = pending[whole:]
        if not read:
            return


def _exactly(source: BinaryIO, count: int) -> bytes:
    read = source.read(count)
    if len(read) < count:
        raise AudioError("standard input: ended within the header of a WAV file")
    return read


def _write(sink: BinaryIO, samples: np.ndarray) -> None:
    if len(samples):
        sink.write((np.clip(samples, -1, 32767 / 32768) * 32768).round().astype("<i2").tobytes())
        sink.flush()


def _summary(voice: VoiceStream, busy_s: float) -> str:
    if not voice.seconds:
        return "stream: no sound came in"
    return (
        f"stream: {voice.seconds:.1f} s of sound; latency {1000 * voice.latency_s:.0f} ms of the network, "
        f"{1000 * voice.longest_wait_s:.0f} ms at most with rates and blocks; "
        f"real-time factor {busy_s / voice.seconds:.2f}"
    )
