"""The tables of a data directory that Kaldi, ESPnet and this toolkit know: what each is keyed by, and its values.

And which lines a trial directory may lack: who speaks in a mixture depends on the trial's condition.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

from zspex_toolkit.io.number_text import decimal, whole_number

# One line of each table per trial; such a directory is known by its conditions.
CONDITIONS = "utt2condition"
REQUIRED = ("wav.scp", "spk1.scp", "enroll_spk1.scp")

# A rule says what is wrong with a value (the rest of a line, as bytes), or None if it is well formed.
Rule = Callable[[bytes], str | None]


def one_word(value: bytes) -> str | None:
    """``utt2spk`` and its like: a single word."""
    return None if len(value.split()) == 1 else f"expected 2 fields, got {1 + len(value.split())}"


def positive_number(value: bytes) -> str | None:
    """``utt2dur``: a duration in seconds."""
    return _number(value, 0, float("inf"), "a number above 0")


def positive_integer(value: bytes) -> str | None:
    """``utt2num_frames``, ``utt2num_samples``, ``utt2fs``: a count."""
    try:
        fits = whole_number(value) > 0
    except ValueError:
        fits = False
    return None if fits else f"expected an integer above 0, got '{_text(value)}'"


def gender(value: bytes) -> str | None:
    """``spk2gender``: ``m`` or ``f``."""
    return None if value.rstrip() in (b"m", b"f") else f"expected 'm' or 'f', got '{_text(value)}'"


def warp(value: bytes) -> str | None:
    """``spk2warp``, ``utt2warp``: a vocal tract length factor."""
    return _number(value, 0.5, 1.5, "a factor in (0.5, 1.5)")


def recording(value: bytes) -> str | None:
    """``wav.scp``, ``spk1.scp``, ...: a path or pipe; no program but a shell knows ``~``."""
    return "expected a full path, '~' is not expanded" if value.startswith(b"~") else None


def file_and_channel(value: bytes) -> str | None:
    """``reco2file_and_channel``: file name and channel A or B."""
    fields = value.split()
    well_formed = len(fields) == 2 and fields[1] in (b"A", b"B")
    return None if well_formed else f"expected '<reco> <file> A|B', got '{_text(value)}' after the recording"


def segment(value: bytes) -> str | None:
    """``segments``: recording, start and end in seconds."""
    fields = value.split()
    if len(fields) != 3:
        return f"expected 4 fields '<utt> <reco> <start> <end>', got {1 + len(fields)}"
    try:
        start, end = decimal(fields[1]), decimal(fields[2])
    except ValueError:
        return f"expected start and end in seconds, got '{_text(value)}'"
    # As Kaldi's extract-segments, an end of -1 is the end of the recording.
    return None if start >= 0 and (start < end or end == -1) else f"expected 0 <= start < end, got '{_text(value)}'"


def condition(value: bytes) -> str | None:
    """``utt2condition``: whether the speaker asked for is in the mixture, and whether alone."""
    known = value.rstrip() in (b"present", b"absent", b"single")
    return None if known else f"expected 'present', 'absent' or 'single', got '{_text(value)}'"


def transcript(value: bytes) -> str | None:
    """``text``: printable words, no symbol that language models reserve, blanks only as ASCII blanks."""
    try:
        text = value.decode("utf-8").rstrip("\n")
    except UnicodeDecodeError:
        return "expected UTF-8 text"
    if not text.isprintable():
        bad = [char for char in text if unicodedata.category(char) in ("Cc", "Cn", "Cs", "Zl", "Zp") and char != "\t"]
        if bad:
            return f"non-printable character U+{ord(bad[0]):04X}"
    if not text.isascii() and (odd := re.search(r"[^\S \t]", text)):
        return f"blank U+{ord(odd[0]):04X} other than space and tab"
    reserved = {"<s>", "</s>", "#0"}.intersection(text.split()) if "<" in text or "#" in text else None
    return f"symbol {min(reserved)} is reserved and not allowed in a transcript" if reserved else None


def anything(value: bytes) -> str | None:
    """A value that only has to be there."""
    return None


# fmt: off
UTTERANCE_TABLES: dict[str, Rule] = {
    "utt2spk": one_word, "text": transcript, "segments": segment,
    "feats.scp": recording, "vad.scp": recording, "xvector.scp": recording,
    "utt2lang": anything, "utt2uniq": one_word, "utt2category": one_word, "utt2fs": positive_integer,
    "utt2dur": positive_number, "utt2num_frames": positive_integer, "utt2num_samples": positive_integer,
    "utt2warp": warp, "utt2condition": condition, "utt2mixture": one_word,
}
SPEAKER_TABLES: dict[str, Rule] = {
    "spk2utt": anything, "cmvn.scp": recording, "spk2gender": gender, "spk2warp": warp, "spk_xvector.scp": recording,
}
RECORDING_TABLES: dict[str, Rule] = {
    "wav.scp": recording, "reco2dur": positive_number, "reco2file_and_channel": file_and_channel,
}
# fmt: on
_NUMBERED: tuple[tuple[str, Rule], ...] = (
    (r"utt2spk\d+", one_word),
    (r"text_spk\d+", transcript),
    (r"(spk|enroll_spk|clue_spk|noise|dereverb)\d+\.scp", recording),
)


def utterance_rule(name: str) -> Rule | None:
    """The rule for the values of a table keyed by utterance; None if ``name`` is no such table."""
    if name in UTTERANCE_TABLES:
        return UTTERANCE_TABLES[name]
    return next((rule for pattern, rule in _NUMBERED if re.fullmatch(pattern, name)), None)


def rule_of(name: str) -> Rule:
    """The rule for the values of the table ``name``; :func:`anything` for one that is not known."""
    return utterance_rule(name) or SPEAKER_TABLES.get(name) or RECORDING_TABLES.get(name) or anything


def tables_of(path: Path) -> dict[str, str]:
    """The known tables that are in the directory ``path``: name -> ``utterance``, ``speaker`` or ``recording``.

    Without ``segments`` a recording is an utterance, and the tables of recordings are keyed by utterance.
    """
    recordings = "recording" if (path / "segments").exists() else "utterance"
    kinds = {}
    for name in sorted(entry.name for entry in path.iterdir() if entry.is_file()):
        if utterance_rule(name):
            kinds[name] = "utterance"
        elif name in SPEAKER_TABLES:
            kinds[name] = "speaker"
        elif name in RECORDING_TABLES:
            kinds[name] = recordings
    return kinds


def is_trial_dir(path: Path) -> bool:
    """Whether the data directory at ``path`` holds extraction trials."""
    return (path / CONDITIONS).is_file()


def may_lack(name: str, condition: bytes) -> bool:
    """Whether the table ``name`` may leave out a trial of this condition.

    The interferer has number 2; a target alone has none, and only mixtures that the enrolled speaker is absent from
    always have a third. Further speakers, and noise, are where they are.

    >>> may_lack("spk2.scp", b"single"), may_lack("spk2.scp", b"present"), may_lack("utt2spk3", b"present")
    (True, False, True)
    """
    if re.fullmatch(r"noise\d+\.scp", name):
        return True
    number = re.fullmatch(r"(?:utt2spk|spk)(\d+)(?:\.scp)?", name)
    if number is None or int(number[1]) < 2:
        return False
    return condition == b"single" if number[1] == "2" else int(number[1]) > 3 or condition != b"absent"


def _number(value: bytes, low: float, high: float, expected: str) -> str | None:
    try:
        fits = low < decimal(value) < high
    except ValueError:
        fits = False
    return None if fits else f"expected {expected}, got '{_text(value)}'"


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace").strip()
