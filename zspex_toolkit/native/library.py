"""The C++ functions of this folder, compiled for this very processor when first asked for, and kept.

Every ``*.cpp`` file beside this one is part of one shared library of ``extern "C"`` functions over pointers and sizes.
They need a C++ compiler and nothing else; where there is none, who asks gets None and computes with torch alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from zspex_toolkit.native.compilation import NoLibraryError, compile_once, is_whole, run_compiler

SOURCES = Path(__file__).parent
# Sums may be reordered, so that they become vectors; NaN and infinity stay what they are, as trainings look for them.
FLAGS = (
    *("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared", "-pthread", "-fopenmp-simd", "-Wno-psabi"),
    *("-fno-math-errno", "-fno-trapping-math", "-fassociative-math", "-fno-signed-zeros", "-freciprocal-math"),
)


@functools.cache
def library() -> ctypes.CDLL | None:
    """The functions, or None without a compiler or with ``ZSPEX_NATIVE=0``; compiled once for a machine.

    A compilation, or why there is none, is one line on standard error.
    """
    if os.environ.get("ZSPEX_NATIVE") == "0":
        return None
    try:
        return _open(_compiler(), cache_folder())
    except (NoLibraryError, OSError) as error:
        _say(f"{error}; computing with torch alone, which is slower")
        return None


def cache_folder() -> Path:
    """Where libraries are kept: ``$ZSPEX_CACHE``, else ``zspex_toolkit`` in the user's cache folder.

    A user without a home, as in containers, has a folder of his own among the temporary ones.
    """
    if os.environ.get("ZSPEX_CACHE"):
        return Path(os.environ["ZSPEX_CACHE"])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "zspex_toolkit"
    try:
        return Path.home() / ".cache" / "zspex_toolkit"
    except RuntimeError:
        return _private_temporary_folder()


def _private_temporary_folder() -> Path:
    """Others may write where it lies, and what is in it is run."""
    folder = Path(tempfile.gettempdir()) / f"zspex_toolkit-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise NoLibraryError(f"there is no home folder, and {folder} is open to others; set ZSPEX_CACHE to a folder")
    return folder


def _open(compiler: str, folder: Path) -> ctypes.CDLL:
    path = folder / f"native-{_fingerprint(compiler)}.so"
    if not is_whole(path):
        sources = [str(source) for source in _sources() if source.suffix == ".cpp"]
        compile_once([compiler, *FLAGS, *sources], path, _say)
    with contextlib.suppress(OSError):
        os.utime(path)  # it is in use
    return ctypes.CDLL(str(path))


def _compiler() -> str:
    names = [name for name in (os.environ.get("CXX"), "c++", "g++", "clang++") if name]
    for name in names:
        if found := shutil.which(name):
            return found
    raise NoLibraryError(f"no C++ compiler found ({', '.join(names)})")


def _fingerprint(compiler: str) -> str:
    """Changes with everything that the compiled code depends on."""
    asked = run_compiler([compiler, "--version"], timeout_s=20)
    if asked.returncode != 0:
        raise NoLibraryError(f"{compiler} --version fails")
    parts = [asked.stdout.encode(), _processor().encode(), *map(str.encode, FLAGS)]
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


def _say(message: str) -> None:
    print(f"native: {message}", file=sys.stderr, flush=True)
