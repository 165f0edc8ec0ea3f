"""What can be wrong with the audio of one recording, found by opening it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.audio import AudioInfo, audio_info, read_audio

SILENCE_DB = -80.0  # mean power re full scale below which an utterance is called silent; 1 bit of noise has -90
DURATION_TOLERANCE_S = 0.03  # utt2dur is often made from a count of 10 ms frames
NOT_THE_SUM = "mixture that is not the sum of its sources"
OVERSHOOT_S = 0.5  # a segment may end so much past its recording, as Kaldi's extract-segments allows


@dataclass(frozen=True)
class Recording:
    """One line of ``wav.scp`` and all that other tables say about it.

    Attributes:
        key: recording id; equal to its utterance without ``segments``.
        line: its line in ``wav.scp``.
        source: path, ``ark:offset`` or ``command |``.
        segments: (utterance, line in ``segments``, start in s, end in s); empty without that table.
        claims: (table, line, utterance, value) of ``utt2num_samples``, ``utt2dur`` and ``reco2dur``.
        references: (table, line, source) of what adds up to this mixture: ``spk1.scp``, ``spk2.scp``, ``noise1.scp``.
        target: (line of ``spk1.scp``, source); None if there is none.
        enrollment: (line of ``enroll_spk1.scp``, source); None if there is none.
        condition: ``present``, ``absent`` or ``single``, by ``utt2condition``; empty if it is not told.
    """

    key: str
    line: int
    source: str
    segments: tuple[tuple[str, int, float, float], ...] = ()
    claims: tuple[tuple[str, int, str, float], ...] = ()
    references: tuple[tuple[str, int, str], ...] = ()
    target: tuple[int, str] | None = None
    enrollment: tuple[int, str] | None = None
    condition: str = ""


@dataclass(frozen=True)
class AudioFault:
    """``table:line: message``; ``kind`` words what faults of one sort have in common, ``key`` is what is at fault."""

    key: str
    table: str
    line: int
    message: str
    kind: str


def check_recording(recording: Recording) -> tuple[int | None, list[AudioFault]]:
    """Rate in Hz (None if the audio cannot be read) and the faults of one recording."""
    try:
        samples, fs = read_audio(recording.source)
    except AudioError as error:
        return _fs_of(recording.source), [
            AudioFault(recording.key, "wav.scp", recording.line, str(error), "unreadable audio")
        ]
    faults = list(_silent(recording, samples, fs))
    faults += _lengths(recording, len(samples), fs)
    if recording.references:
        faults += _not_the_sum(recording, samples, fs)
    if not any(fault.table == "spk1.scp" for fault in faults):
        faults += _target_and_enrollment(recording, fs)
    return fs, faults


def is_silent(samples: np.ndarray) -> bool:
    """Whether the mean power of (T,) in [-1, 1], without its constant part, lies below -80 dB."""
    return len(samples) == 0 or float(np.var(samples, dtype=np.float64)) < 10 ** (SILENCE_DB / 10)


def same_utterance(one: np.ndarray, two: np.ndarray, fs: int) -> bool:
    """Whether two signals hold the same speech, at any delay and gain, for half a second or half of the shorter one.

    Args:
        one: (T,).
        two: (U,).
        fs: rate in Hz.

    Found by the lag of the highest cross-correlation: over the overlap there, the same speech correlates above 0.95,
    which other speech never does.
    """
    size = 1 << (len(one) + len(two) - 1).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(two, size)), size)
    lag = int(np.abs(correlation).argmax())
    lag -= size if lag >= len(one) else 0  # two begins before one
    start, stop = max(0, lag), min(len(one), lag + len(two))
    a, b = one[start:stop], two[start - lag : stop - lag]
    if len(a) < min(fs // 2, len(one) // 2, len(two) // 2):
        return False
    energy = np.sqrt(np.dot(a, a) * np.dot(b, b))
    return bool(energy > 0 and abs(np.dot(a, b)) > 0.95 * energy)


def _fs_of(source: str) -> int | None:
    """The rate of audio that is unfit for another reason (stereo, NaN), so that rates are compared all the same."""
    try:
        info: AudioInfo = audio_info(source)
    except AudioError:
        return None
    return info.fs


def _silent(recording: Recording, samples: np.ndarray, fs: int) -> Iterator[AudioFault]:
    if not recording.segments and is_silent(samples):
        message = f"'{recording.key}' is silent: mean power below {SILENCE_DB:g} dB"
        yield AudioFault(recording.key, "wav.scp", recording.line, message, "silent utterance")
    for utt, line, start_s, end_s in recording.segments:
        stop = len(samples) if end_s == -1 else round(end_s * fs)
        if is_silent(samples[round(start_s * fs) : stop]):
            message = f"'{utt}' is silent: mean power below {SILENCE_DB:g} dB"
            yield AudioFault(utt, "segments", line, message, "silent utterance")


def _lengths(recording: Recording, num_samples: int, fs: int) -> Iterator[AudioFault]:
    length = {recording.key: num_samples}
    for utt, line, start_s, end_s in recording.segments:
        start, stop = round(start_s * fs), num_samples if end_s == -1 else round(end_s * fs)
        length[utt] = min(stop, num_samples) - start
        if stop > num_samples + OVERSHOOT_S * fs or start >= num_samples:
            message = (
                f"'{utt}' from {start_s:g} s to {end_s:g} s lies outside its recording of {num_samples / fs:.3f} s"
            )
            yield AudioFault(utt, "segments", line, message, "segment outside its recording")
    for table, line, utt, claimed in recording.claims:
        found = length[utt] if table == "utt2num_samples" else length[utt] / fs
        if abs(found - claimed) > (0 if table == "utt2num_samples" else DURATION_TOLERANCE_S):
            message = f"'{utt}' has {found:.6g} {'samples' if table == 'utt2num_samples' else 's'}, not {claimed:.6g}"
            yield AudioFault(utt, table, line, message, "length differs from the audio's")


def _not_the_sum(recording: Recording, mixture: np.ndarray, fs: int) -> Iterator[AudioFault]:
    total = np.zeros(len(mixture))
    for table, line, source in recording.references:
        try:
            samples, _ = read_audio(source, fs=fs)
        except AudioError as error:
            yield AudioFault(recording.key, table, line, str(error), "unreadable audio")
            return
        if len(samples) != len(mixture):
            message = f"'{recording.key}' has {len(samples)} samples, its mixture {len(mixture)}"
            yield AudioFault(recording.key, table, line, message, "length differs from the mixture's")
            return
        total += samples
    # Each file may have been rounded to 16 bits by itself: half a step per file.
    allowed = (len(recording.references) + 1) * 0.5 / 32768
    error = float(np.abs(mixture - total).max())
    if error > allowed * 1.001:
        tables = " + ".join(table for table, _, _ in recording.references)
        message = f"'{recording.key}' is not the sum of its sources ({tables}): they differ by up to {error:.2g}"
        yield AudioFault(recording.key, "wav.scp", recording.line, message, NOT_THE_SUM)


def _target_and_enrollment(recording: Recording, fs: int) -> Iterator[AudioFault]:
    signals: dict[str, np.ndarray] = {}
    for table, entry in (("spk1.scp", recording.target), ("enroll_spk1.scp", recording.enrollment)):
        if entry is None:
            continue
        try:
            signals[table], _ = read_audio(entry[1], fs=fs)
        except AudioError as error:
            yield AudioFault(recording.key, table, entry[0], str(error), "unreadable audio")
            continue
        yield from _silent_or_not(recording, table, entry[0], signals[table])
    if len(signals) == 2 and same_utterance(signals["spk1.scp"], signals["enroll_spk1.scp"], fs):
        line = recording.enrollment[0]
        message = f"'{recording.key}' is enrolled with its own target utterance; choose another one of the speaker"
        yield AudioFault(recording.key, "enroll_spk1.scp", line, message, "enrollment that is the target utterance")


def _silent_or_not(recording: Recording, table: str, line: int, samples: np.ndarray) -> Iterator[AudioFault]:
    """Enrollment has to sound, and so has a target unless its speaker is declared absent."""
    what = "target" if table == "spk1.scp" else "enrollment"
    absent = what == "target" and recording.condition == "absent"
    if is_silent(samples) == absent:
        return
    if absent:
        message = f"'{recording.key}' has a target that sounds, though utt2condition says its speaker is absent"
        yield AudioFault(recording.key, table, line, message, "target that sounds, of an absent speaker")
    else:
        message = f"'{recording.key}' has a silent {what}: mean power below {SILENCE_DB:g} dB"
        yield AudioFault(recording.key, table, line, message, f"silent {what}")
