"""Find every fault of a Kaldi data directory that Kaldi's ``utils/validate_data_dir.sh`` finds, and where it is."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Sequence
from itertools import groupby, islice, pairwise
from pathlib import Path

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.known_tables import (
    CONDITIONS,
    REQUIRED,
    anything,
    is_trial_dir,
    may_lack,
    one_word,
    rule_of,
    tables_of,
)
from zspex_toolkit.io.scan import Fault, Findings, compare_keys, first_odd_separator, no_garbage_collection, scan_table
from zspex_toolkit.io.validate_audio import check_audio_of


def validate_data_dir(path: str | os.PathLike, **options: object) -> list[Fault]:
    """The faults of the data directory at ``path``, none if it is valid; options as :func:`check_data_dir`."""
    return check_data_dir(path, **options).faults


def check_data_dir(
    path: str | os.PathLike,
    *,
    check_audio: bool = False,
    require: Sequence[str] = ("wav.scp",),
    no_spk_sort: bool = False,
    other: str | os.PathLike | None = None,
    fs: int | None = None,
    nj: int = 1,
) -> Findings:
    """Faults and warnings of a data directory; memory grows with the number and length of its keys only.

    Args:
        path: the directory.
        check_audio: also open all audio, see :mod:`zspex_toolkit.io.validate_audio`.
        require: files that must be there besides ``utt2spk`` and ``spk2utt``; all others are checked if present.
        no_spk_sort: do not ask that ``utt2spk`` be sorted by speaker too.
        other: directory that must share no speaker with this one, as a test set with its training set.
        fs: rate in Hz that all audio must have; with ``check_audio``.
        nj: number of processes that open audio.

    Raises:
        DataDirError: if there is no such directory.
    """
    path = Path(path)
    if not path.is_dir():
        raise DataDirError(f"{path}: no such data directory")
    findings = Findings()
    if is_trial_dir(path):
        require = dict.fromkeys([*require, *REQUIRED])
    missing = [name for name in ("utt2spk", "spk2utt", *require) if not (path / name).is_file()]
    if (path / "segments").exists() and not (path / "wav.scp").is_file() and "wav.scp" not in missing:
        missing.append("wav.scp")
    for name in missing:
        findings.fault(path / name, None, "no such file")
    if "utt2spk" not in missing:
        with no_garbage_collection():
            _check_tables(path, findings, no_spk_sort=no_spk_sort)
        if other is not None:
            _check_overlap(path, Path(other), findings)
    # Audio is looked up through the tables, so they must be sound first.
    if check_audio and not findings.faults:
        check_audio_of(path, findings, fs=fs, nj=nj)
    findings.add_counts()
    return findings


def _check_tables(path: Path, findings: Findings, *, no_spk_sort: bool) -> None:
    kinds = tables_of(path)
    spks: list[bytes] = []
    utts = scan_table(path / "utt2spk", findings, one_word, values=spks)
    speakers = _check_speakers(path / "utt2spk", findings, utts, spks, no_spk_sort=no_spk_sort)
    findings.num_utterances, findings.num_speakers = len(utts), len(speakers)
    if "spk2utt" in kinds:
        _check_spk2utt(path / "spk2utt", findings, utts, spks)
    recordings = utts
    if "segments" in kinds:
        values: list[bytes] = []
        keys = scan_table(path / "segments", findings, rule_of("segments"), expected=utts, values=values)
        compare_keys(path / "segments", findings, keys, utts, "utt2spk")
        recordings = sorted({value.split()[0] for value in values if value})
        del values, keys
    others = _other_speakers(path)
    conditions = _conditions(path) if CONDITIONS in kinds else {}
    for name, kind in kinds.items():
        if name in ("utt2spk", "spk2utt", "segments"):
            continue
        optional = {utt for utt, condition in conditions.items() if may_lack(name, condition)}
        expected, origin = (speakers, "spk2utt") if kind == "speaker" else (utts, "utt2spk")
        if kind == "recording":
            expected, origin = recordings, "segments"
        keys = scan_table(path / name, findings, rule_of(name), expected=expected)
        known = others if kind == "speaker" else ()
        compare_keys(path / name, findings, keys, expected, origin, optional=optional, also_known=known)


def _other_speakers(path: Path) -> set[bytes]:
    """Interferers, whom tables of speakers may tell of too."""
    speakers: list[bytes] = []
    for name in _tables_of_interferers(path):
        scan_table(path / name, Findings(), one_word, values=speakers)
    return set(speakers)


def _tables_of_interferers(path: Path) -> list[str]:
    return [name for name in tables_of(path) if re.fullmatch(r"utt2spk\d+", name)]


def _conditions(path: Path) -> dict[bytes, bytes]:
    values: list[bytes] = []
    keys = scan_table(path / CONDITIONS, Findings(), anything, values=values)
    return dict(zip(keys, values, strict=True))


def _check_speakers(
    path: Path, findings: Findings, utts: list[bytes], spks: list[bytes], *, no_spk_sort: bool
) -> list[bytes]:
    """Order by speaker, prefixes and counts; returns the sorted speakers."""
    in_order = all(map(operator.le, spks, islice(spks, 1, None)))
    if not in_order and not no_spk_sort:
        line = next(line for line, (one, two) in enumerate(pairwise(spks), start=2) if two < one)
        findings.fault(
            path,
            line,
            f"not sorted by speaker: '{spks[line - 1].decode()}' comes after '{spks[line - 2].decode()}'; "
            "make speaker ids prefixes of utterance ids, joined with '-'",
        )
    # Kaldi sorts by all that follows the utterance, the separator included.
    if in_order and not no_spk_sort and (line := first_odd_separator(path)):
        findings.fault(path, line, "expected one blank between utterance and speaker, as on other lines")
    if not all(map(bytes.startswith, utts, spks)):
        for line, (utt, spk) in enumerate(zip(utts, spks, strict=True), start=1):
            if not utt.startswith(spk):
                message = f"speaker '{spk.decode()}' is no prefix of utterance '{utt.decode()}'"
                findings.warn(path, line, message, kind="speaker that is no prefix of its utterance")
    speakers = sorted({spk for spk in spks if spk})
    if len(speakers) == 1:
        findings.warn(path, None, f"only one speaker, '{speakers[0].decode()}'")
    return speakers


def _check_spk2utt(path: Path, findings: Findings, utts: list[bytes], spks: list[bytes]) -> None:
    """``spk2utt`` must say what ``utt2spk`` says, in its order."""
    expected: dict[bytes, list[bytes]] = {}
    for spk, pairs in groupby(zip(spks, utts, strict=True), key=operator.itemgetter(0)):
        expected.setdefault(spk, []).extend(map(operator.itemgetter(1), pairs))
    expected.pop(b"", None)
    values: list[bytes] = []
    speakers = scan_table(path, findings, anything, expected=sorted(expected), values=values)
    compare_keys(path, findings, speakers, sorted(expected), "utt2spk's speakers")
    for line, (spk, value) in enumerate(zip(speakers, values, strict=True), start=1):
        found = value.split()
        if spk in expected and found != expected[spk]:
            findings.fault(path, line, _difference(spk, found, expected[spk]), kind="spk2utt differs from utt2spk")
    singles = [spk.decode() for spk, of_spk in expected.items() if len(of_spk) == 1]
    if singles:
        shown = ", ".join(singles[:5]) + (", ..." if len(singles) > 5 else "")
        findings.warn(path, None, f"{len(singles)} speaker(s) with a single utterance: {shown}")


def _difference(spk: bytes, found: list[bytes], expected: list[bytes]) -> str:
    extra, lacking = set(found) - set(expected), set(expected) - set(found)
    if extra:
        return f"'{min(extra).decode()}' is not an utterance of '{spk.decode()}' in utt2spk"
    if lacking:
        return f"'{min(lacking).decode()}' of '{spk.decode()}' is missing, utt2spk has it"
    return f"utterances of '{spk.decode()}' are repeated or in another order than in utt2spk"


def _check_overlap(path: Path, other: Path, findings: Findings) -> None:
    others = Findings()
    spks: list[bytes] = []
    if not (other / "utt2spk").is_file():
        raise DataDirError(f"{other}/utt2spk: no such file")
    scan_table(other / "utt2spk", others, one_word, values=spks)
    theirs = set(spks)
    for name in ("utt2spk", *_tables_of_interferers(path)):
        ours: list[bytes] = []
        scan_table(path / name, Findings(), one_word, values=ours)
        seen: set[bytes] = set()
        for line, spk in enumerate(ours, start=1):
            if spk and spk in theirs and spk not in seen:
                message = f"speaker '{spk.decode()}' is also in {other}"
                findings.fault(path / name, line, message, kind=f"speaker that is also in {other}")
                seen.add(spk)
