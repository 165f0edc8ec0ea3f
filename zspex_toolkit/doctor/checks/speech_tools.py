"""What single recipes and measures need beside Python packages: espeak-ng, PESQ, ffmpeg."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from zspex_toolkit.doctor.finding import OK, WARNING, Asked, Finding

__all__ = ["check_speech_tools"]


def check_speech_tools(asked: Asked) -> Iterator[Finding]:
    """Whether espeak-ng's library, PESQ and ffmpeg can be used."""
    yield _espeak()
    yield _pesq()
    if shutil.which("ffmpeg"):
        yield Finding(OK, "ffmpeg is there, for m4a and other formats that soundfile does not read")
    else:
        yield Finding(WARNING, "no ffmpeg", "VoxCeleb2's m4a files need it; nothing else does")


def _espeak() -> Finding:
    try:
        loader = importlib.import_module("espeakng_loader")
        library, data = Path(loader.get_library_path()), Path(loader.get_data_path())
    except Exception as error:  # a broken binary package raises anything
        return Finding(
            WARNING, f"no espeak-ng ({_told(error)})", "egs/mini needs it: pip install 'zspex_toolkit[mini]'"
        )
    if not library.is_file() or not data.is_dir():
        return Finding(WARNING, f"espeak-ng is incomplete below {library.parent}", "install espeakng-loader anew")
    return Finding(OK, f"espeak-ng: {library}")


def _pesq() -> Finding:
    try:
        importlib.import_module("pesq")
    except Exception as error:
        return Finding(
            WARNING, f"no PESQ ({_told(error)})", "scores lack it; pip install 'zspex_toolkit[pesq]' compiles it"
        )
    return Finding(OK, "PESQ is there")


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
