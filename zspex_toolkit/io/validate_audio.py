"""Open all audio of a data directory, in parallel, and compare it with what the tables say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from zspex_toolkit.errors import JobError
from zspex_toolkit.io.audio_checks import NOT_THE_SUM, AudioFault, Recording, check_recording
from zspex_toolkit.io.data_dir import read_segments
from zspex_toolkit.io.known_tables import CONDITIONS, tables_of
from zspex_toolkit.io.number_text import decimal
from zspex_toolkit.io.scan import Findings
from zspex_toolkit.io.table import read_table

# Table of the trials that a published list enrolls with their own target utterance: no fault, since it is known.
DECLARED_LEAKS = "enroll_is_target"


@dataclass(frozen=True)
class AudioReport:
    """Every recording of a directory, its rate in Hz (None if unreadable), all faults, and whether sums were waived."""

    recordings: list[Recording]
    rates: list[int | None]
    faults: list[AudioFault]
    sources_are_other_microphones: bool


def check_audio_of(path: Path, findings: Findings, *, fs: int | None = None, nj: int = 1) -> None:
    """Add to ``findings`` what is wrong with the audio of a directory whose tables are sound.

    Found: audio that is missing, broken, empty, stereo or holds NaN; rates that differ from ``fs`` or among the
    recordings (unless ``utt2fs`` declares them); silent utterances; lengths other than ``segments``,
    ``utt2num_samples``, ``utt2dur`` or ``reco2dur`` say; mixtures that are not the sum of ``spk1.scp``, ``spk2.scp``,
    ... and ``noise1.scp``; enrollment (``enroll_spk1.scp``) that is the target utterance itself, unless
    ``enroll_is_target`` declares it.

    Args:
        path: the directory.
        findings: faults are added to it.
        fs: rate in Hz that all audio must have; the most frequent one if None.
        nj: number of processes.
    """
    report = audio_faults(path, nj=nj)
    for fault in report.faults:
        findings.fault(path / fault.table, fault.line, fault.message, kind=fault.kind)
    if report.sources_are_other_microphones:
        message = "no mixture is the sum of its sources: right for recorded ones, whose sources are other microphones"
        findings.warn(path / "wav.scp", None, message)
    if not (path / "utt2fs").exists():
        _compare_rates(path / "wav.scp", findings, report, fs)


def audio_faults(path: Path, *, nj: int = 1) -> AudioReport:
    """Check every recording of a directory whose tables are sound, in ``nj`` processes."""
    recordings = list(_recordings(path))
    rates: list[int | None] = []
    faults: list[AudioFault] = []
    with ProcessPoolExecutor(nj) if nj > 1 else nullcontext() as pool:
        if pool is None:
            results = map(check_recording, recordings)
        else:
            results = pool.map(check_recording, recordings, chunksize=max(1, min(64, len(recordings) // (4 * nj))))
        # disable=None: a bar on a terminal only, never in a log.
        bar = tqdm(results, total=len(recordings), desc=f"audio of {path.name}", unit="rec", disable=None)
        try:
            for rate, found in bar:
                rates.append(rate)
                faults += found
        except BrokenProcessPool as error:
            raise JobError(
                f"{path}: a process that checked audio was killed; out of memory? try a smaller --nj"
            ) from error
    # spk1.scp of recorded mixtures lists close-talking microphones, which no mixture is the sum of.
    wrong_sums = sum(fault.kind == NOT_THE_SUM for fault in faults)
    recorded = wrong_sums == len(recordings) > 1 and not (path / "plan.jsonl").exists()
    if recorded:
        faults = [fault for fault in faults if fault.kind != NOT_THE_SUM]
    return AudioReport(recordings, rates, faults, recorded)


def _compare_rates(path: Path, findings: Findings, report: AudioReport, fs: int | None) -> None:
    known = Counter(rate for rate in report.rates if rate)
    if not known:
        return
    usual = fs or known.most_common(1)[0][0]
    for recording, rate in zip(report.recordings, report.rates, strict=True):
        if rate and rate != usual:
            expected = f"{usual} Hz" if fs else f"{usual} Hz as most recordings have"
            message = f"'{recording.key}': expected {expected}, found {rate} Hz"
            findings.fault(path, recording.line, message, kind=f"rate other than {usual} Hz")


def _recordings(path: Path) -> Iterator[Recording]:
    """The lines of ``wav.scp``, each with all that other tables say about it."""
    kinds = tables_of(path)
    segments: dict[str, list[tuple[str, int, float, float]]] = {}
    if "segments" in kinds:
        for line, (utt, (reco, start, end)) in enumerate(read_segments(path / "segments").items(), start=1):
            segments.setdefault(reco, []).append((utt, line, start, end))
    claims = {name: _with_lines(path / name) for name in kinds if name in ("utt2num_samples", "utt2dur", "reco2dur")}
    summands = {name: _with_lines(path / name) for name in kinds if re.fullmatch(r"(spk|noise)\d+\.scp", name)}
    enrollments = _with_lines(path / "enroll_spk1.scp") if "enroll_spk1.scp" in kinds else {}
    conditions = read_table(path / CONDITIONS) if CONDITIONS in kinds else {}
    if (path / DECLARED_LEAKS).is_file():
        declared = read_table(path / DECLARED_LEAKS)
        enrollments = {key: row for key, row in enrollments.items() if key not in declared}
    for key, (line, source) in _with_lines(path / "wav.scp").items():
        parts = tuple(segments.get(key, ()))
        references = tuple((table, *rows[key]) for table, rows in summands.items() if key in rows)
        # A mixture with spk1.scp alone (one reference per mixture, for extraction) does not list all that was mixed.
        is_sum = key in summands.get("spk2.scp", {}) or conditions.get(key) == "single"
        yield Recording(
            key,
            line,
            source,
            parts,
            claims=tuple(_claims_on({key, *(part[0] for part in parts)}, claims)),
            references=references if is_sum else (),
            target=summands.get("spk1.scp", {}).get(key),
            enrollment=_audio_only(enrollments.get(key)),
            condition=conditions.get(key, ""),
        )


def _claims_on(names: set[str], claims: dict[str, dict[str, tuple[int, str]]]) -> Iterator[tuple[str, int, str, float]]:
    for table, rows in claims.items():
        for name in sorted(names & rows.keys()):
            line, value = rows[name]
            yield table, line, name, decimal(value)


def _audio_only(enrollment: tuple[int, str] | None) -> tuple[int, str] | None:
    """``*<UID> <SPK>`` asks for a random utterance and ``x.npy`` is an embedding: neither is audio to compare."""
    unfit = enrollment is None or enrollment[1].startswith("*") or enrollment[1].endswith(".npy")
    return None if unfit else enrollment


def _with_lines(path: Path) -> dict[str, tuple[int, str]]:
    return {key: (line, value) for line, (key, value) in enumerate(read_table(path).items(), start=1)}
