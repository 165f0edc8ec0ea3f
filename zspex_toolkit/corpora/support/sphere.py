"""NIST SPHERE files, as the LDC's corpora have them: written for fake trees; packed ones read through sph2pipe."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np

from zspex_toolkit.corpora.support.recordings import fault_of
from zspex_toolkit.io.audio_entry import is_shortened_sphere

HEADER_BYTES = 1024


def sphere_bytes(samples: np.ndarray, fs: int, database: str) -> bytes:
    """A file of 16-bit samples (T,), low byte first, as on the LDC's discs."""
    fields = {
        "channel_count": 1,
        "sample_count": len(samples),
        "sample_rate": fs,
        "sample_n_bytes": 2,
        "sample_sig_bits": 16,
    }
    lines = ["NIST_1A", f"   {HEADER_BYTES}", f"database_id -s{len(database)} {database}", "database_version -s3 1.0"]
    lines += [f"{name} -i {value}" for name, value in fields.items()]
    lines += ["sample_byte_format -s2 01", "sample_coding -s3 pcm", "end_head", ""]
    return "\n".join(lines).encode().ljust(HEADER_BYTES) + samples.astype("<i2").tobytes()


def readable_source(path: Path) -> str:
    """How to read a recording: its path, or a sph2pipe command if it is a SPHERE file packed by ``shorten``."""
    try:
        with path.open("rb") as stream:
            packed = is_shortened_sphere(stream)
    except OSError:
        packed = False
    return f"sph2pipe -f wav -p -c 1 {shlex.quote(str(path))} |" if packed else str(path)


def fault_of_source(path: Path, fs: int) -> tuple[str, int]:
    """As ``fault_of``; of packed files only the header is read."""
    if readable_source(path) == str(path):
        return fault_of(path, fs)
    with path.open("rb") as stream:
        header = stream.read(HEADER_BYTES)
    found = {name: re.search(rb"%b -i (\d+)" % name, header) for name in (b"sample_rate", b"sample_count")}
    rate, count = (int(match[1]) if match else 0 for match in found.values())
    if rate != fs:
        return f"{rate} Hz instead of {fs} Hz", 0
    return ("", count) if count else ("empty audio", 0)
