"""Short-time objective intelligibility by pystoi, which answers 1e-5 with a warning where it cannot: an error here."""

from __future__ import annotations

import warnings

import numpy as np

from zspex_toolkit.metrics.speech._check import check_signals


def short_time_intelligibility(estimate: np.ndarray, reference: np.ndarray, fs: int, *, extended: bool) -> float:
    """STOI or ESTOI of ``estimate`` (T,) against ``reference`` (T,).

    Raises:
        ValueError: if the lengths differ, one of the two is silent, or there is less than 0.4 s of speech.
    """
    from pystoi import stoi

    estimate, reference = check_signals(estimate, reference)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(stoi(reference, estimate, fs, extended=extended))
        except (RuntimeWarning, ValueError) as fault:
            reason = " ".join(str(fault).split()).partition(".")[0]
            raise ValueError(f"expected at least 0.4 s of speech in the reference ({reason})") from fault
