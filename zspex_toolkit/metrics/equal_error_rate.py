"""Equal-error rate of speaker verification."""

from __future__ import annotations

import numpy as np


def equal_error_rate(scores: np.ndarray, same_speaker: np.ndarray) -> float:
    """Rate at which false acceptances and false rejections are equal, 0 to 1.

    The threshold walks over the scores; between two neighbouring thresholds both rates are joined by a straight line,
    and the answer is where the line meets false acceptance = false rejection. Equal scores are accepted together, so
    it does not depend on the order of the trials.

    Args:
        scores: (n,), higher for the same speaker.
        same_speaker: (n,) bool.

    Raises:
        ValueError: if the lengths differ, a score is not a number, or one of the two kinds of trial is missing.

    >>> equal_error_rate(np.array([0.9, 0.8, 0.3, 0.7, 0.2, 0.1]), np.array([1, 1, 1, 0, 0, 0])).__round__(4)
    0.3333
    """
    scores, same_speaker = np.asarray(scores, dtype=np.float64), np.asarray(same_speaker, dtype=bool)
    if scores.shape != same_speaker.shape or scores.ndim != 1:
        raise ValueError(f"expected a label for each score, got shapes {scores.shape} and {same_speaker.shape}")
    if not np.isfinite(scores).all():
        raise ValueError(f"score of trial {int(np.flatnonzero(~np.isfinite(scores))[0])} is not a finite number")
    num_same, num_other = int(same_speaker.sum()), int((~same_speaker).sum())
    if not num_same or not num_other:
        raise ValueError(f"expected trials of both kinds, got {num_same} same-speaker and {num_other} other trials")
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # the last trial of each run of equal scores
    accepted_same = np.append(0, np.cumsum(same_speaker[order])[ends])
    false_rejection = 1 - accepted_same / num_same
    false_acceptance = (np.append(0, ends + 1) - accepted_same) / num_other
    gap = false_acceptance - false_rejection  # climbs from -1 to 1
    after = int(np.argmax(gap >= 0))
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(false_acceptance[after - 1] + share * (false_acceptance[after] - false_acceptance[after - 1]))
