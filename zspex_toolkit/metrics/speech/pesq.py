"""Perceptual evaluation of speech quality of extracted speech."""

from __future__ import annotations

import numpy as np

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.metrics.speech._check import check_signals

__all__ = ["pesq"]

MODES = {8000: "nb", 16000: "wb"}


def pesq(estimate: np.ndarray, reference: np.ndarray, *, fs: int) -> float:
    """Mean opinion score by PESQ, narrow band (1.0 to 4.5) at 8 kHz and wide band (1.0 to 4.6) at 16 kHz.

    The two bands give different figures for one recording: never compare them.

    Args:
        estimate: (T,).
        reference: (T,).
        fs: rate in Hz, 8000 or 16000.

    Raises:
        ConfigError: for any other rate.
        UserError: if the package pesq is not installed.
        ValueError: if the lengths differ, one of the two is silent, or PESQ finds no speech in them.

    Reference: ITU-T P.862 (narrow band, mapped by P.862.1) and P.862.2 (wide band).

    >>> pesq(np.ones(8), np.ones(8), fs=44100)
    Traceback (most recent call last):
        ...
    zspex_toolkit.errors.ConfigError: pesq: expected audio at 8000 or 16000 Hz, got 44100 Hz
    """
    if fs not in MODES:
        raise ConfigError(f"pesq: expected audio at 8000 or 16000 Hz, got {fs} Hz")
    try:
        import pesq as itu
    except ImportError as missing:
        raise UserError("pesq: the package is not installed; pip install 'zspex_toolkit[pesq]'") from missing
    estimate, reference = check_signals(estimate, reference)
    try:
        return float(itu.pesq(fs, reference, estimate, MODES[fs]))
    except itu.PesqError as fault:
        raise ValueError(f"expected speech, but PESQ says: {_reason(fault)}") from fault


def _reason(fault: Exception) -> str:
    reason = fault.args[0] if fault.args else type(fault).__name__
    return reason.decode("ascii", "replace") if isinstance(reason, bytes) else str(reason)
