"""What the tables of a trial directory must hold: who speaks in a mixture depends on the trial's condition."""

from __future__ import annotations

import re
from pathlib import Path

# One line of each table per trial; such a directory is known by its conditions.
CONDITIONS = "utt2condition"
REQUIRED = ("wav.scp", "spk1.scp", "enroll_spk1.scp")


def is_trial_dir(path: Path) -> bool:
    """Whether the data directory at ``path`` holds extraction trials."""
    return (path / CONDITIONS).is_file()


def may_lack(name: str, condition: bytes) -> bool:
    """Whether the table ``name`` may leave out a trial of this condition.

    The interferer has number 2; a target alone has none, and only mixtures that the enrolled speaker is absent from
    have more. Noise is where it is.

    >>> may_lack("spk2.scp", b"single"), may_lack("spk2.scp", b"present"), may_lack("utt2spk3", b"present")
    (True, False, True)
    """
    if re.fullmatch(r"noise\d+\.scp", name):
        return True
    number = re.fullmatch(r"(?:utt2spk|spk)(\d+)(?:\.scp)?", name)
    if number is None or int(number[1]) < 2:
        return False
    return condition == b"single" if number[1] == "2" else condition != b"absent"
