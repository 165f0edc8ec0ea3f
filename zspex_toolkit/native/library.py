"""The C++ functions of this folder, compiled for this very processor when first asked for, and kept.

Every ``*.cpp`` file beside this one is part of one shared library of ``extern "C"`` functions over pointers and sizes.
They need a C++ compiler and nothing else; where there is none, who asks gets None and computes with torch alone.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from zspex_toolkit.io.atomic import atomic_path

SOURCES = Path(__file__).parent
# Sums may be reordered, so that they become vectors; NaN and infinity stay what they are, as trainings look for them.
FLAGS = (
    *("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared", "-pthread", "-fopenmp-simd", "-Wno-psabi"),
    *("-fno-math-errno", "-fno-trapping-math", "-fassociative-math", "-fno-signed-zeros", "-freciprocal-math"),
)
_DIGEST_SIZE = hashlib.sha256().digest_size


class _NoLibraryError(Exception):
    """Why there is no library, in a few words."""


@functools.cache
def library() -> ctypes.CDLL | None:
    """The functions, or None without a compiler or with ``ZSPEX_NATIVE=0``; compiled once for a machine.

    A compilation, or why there is none, is one line on standard error.
    """
    if os.environ.get("ZSPEX_NATIVE") == "0":
        return None
    try:
        return _open(_compiler(), cache_folder())
    except (_NoLibraryError, OSError, subprocess.SubprocessError) as error:
        _say(f"{error}; computing with torch alone, which is slower")
        return None


def cache_folder() -> Path:
    """Where libraries are kept: ``$ZSPEX_CACHE``, else ``zspex_toolkit`` in the user's cache folder."""
    if os.environ.get("ZSPEX_CACHE"):
        return Path(os.environ["ZSPEX_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zspex_toolkit"


def _open(compiler: str, folder: Path) -> ctypes.CDLL:
    path = folder / f"native-{_fingerprint(compiler)}.so"
    if not _is_whole(path):
        _say(f"compiling for this processor with {compiler}, once")
        _compile(compiler, path)
    return ctypes.CDLL(str(path))


def _compiler() -> str:
    names = [name for name in (os.environ.get("CXX"), "c++", "g++", "clang++") if name]
    for name in names:
        if found := shutil.which(name):
            return found
    raise _NoLibraryError(f"no C++ compiler found ({', '.join(names)})")


def _fingerprint(compiler: str) -> str:
    """Changes with everything that the compiled code depends on."""
    version = subprocess.run([compiler, "--version"], capture_output=True, check=True, timeout=60).stdout
    parts = [version, _processor().encode(), *map(str.encode, FLAGS)]
    parts += [part for path in _sources() for part in (path.name.encode(), path.read_bytes())]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]


def _sources() -> list[Path]:
    return sorted(path for path in SOURCES.iterdir() if path.suffix in {".cpp", ".h"})


def _processor() -> str:
    """Model and abilities: a home folder may be shared between machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    except OSError:  # not Linux
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part")))


def _compile(compiler: str, path: Path) -> None:
    sources = [str(source) for source in _sources() if source.suffix == ".cpp"]
    with atomic_path(path) as temporary:
        command = [compiler, *FLAGS, "-o", str(temporary), *sources]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=600)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
            raise _NoLibraryError(f"{compiler} cannot compile: {(lines or ['no message'])[0]}")
        content = temporary.read_bytes()
        temporary.write_bytes(content + hashlib.sha256(content).digest())


def _is_whole(path: Path) -> bool:
    """True if the file ends in the digest of what comes before: a damaged library would end the process, not fail."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    return content[-_DIGEST_SIZE:] == hashlib.sha256(content[:-_DIGEST_SIZE]).digest()


def _say(message: str) -> None:
    print(f"native: {message}", file=sys.stderr, flush=True)
