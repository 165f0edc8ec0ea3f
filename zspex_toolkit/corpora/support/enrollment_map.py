"""Which source of which mixture enrolls the target of a Libri2Mix trial: the published map, or one drawn with a seed.

A line of the map: ``<mixture> <target utterance> s1|s2/<mixture whose source is the enrollment>``.
Published with TD-SpeakerBeam (github.com/BUTSpeechFIT/speakerbeam) as ``map_mixture2enrollment``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.blanks import read_lines
from zspex_toolkit.randomness import rng_for

SIDES = ("s1", "s2")
# (mixture, number of the target source: 0 or 1) -> (mixture, number of the source that enrolls)
EnrollmentMap = dict[tuple[str, int], tuple[str, int]]


def speaker_of(utt: str) -> str:
    """Speaker of a LibriSpeech utterance: ``4077`` of ``4077-13754-0001``."""
    return utt.partition("-")[0]


def read_enrollment_map(path: Path, utterances: Mapping[str, tuple[str, str]]) -> EnrollmentMap:
    """Read a published map.

    Args:
        path: the file.
        utterances: the two utterances of every mixture of the set.

    Raises:
        DataDirError: with ``file:line``, for a line of another form, a mixture or utterance that is not in the set, an
            enrollment of another speaker, or a second line for one target.
    """
    enrollments: EnrollmentMap = {}
    for number, line in enumerate(read_lines(path), start=1):
        try:
            target, enrollment = _parse(line, utterances)
            if target in enrollments:
                raise ValueError(f"mixture '{target[0]}' has an earlier line for the same target")
        except ValueError as fault:
            raise DataDirError(f"{path}:{number}: {fault}") from fault
        enrollments[target] = enrollment
    return enrollments


def draw_enrollment_map(utterances: Mapping[str, tuple[str, str]], seed: int, set_name: str) -> EnrollmentMap:
    """For every target a random source of the same set with another utterance of its speaker; none if there is none.

    Args:
        utterances: the two utterances of every mixture of the set.
        seed, set_name: decide the draw, together with the mixture and the target; its neighbours do not.
    """
    sources = defaultdict(list)
    for mixture in sorted(utterances):
        for side, utt in enumerate(utterances[mixture]):
            sources[speaker_of(utt)].append((utt, (mixture, side)))
    enrollments: EnrollmentMap = {}
    for mixture, pair in utterances.items():
        for side, utt in enumerate(pair):
            others = [source for other, source in sources[speaker_of(utt)] if other not in pair]
            if others:
                rng = rng_for(seed, "enrollment", set_name, mixture, side)
                enrollments[mixture, side] = others[int(rng.integers(len(others)))]
    return enrollments


def to_text(enrollments: EnrollmentMap, utterances: Mapping[str, tuple[str, str]]) -> str:
    """The map in the published format."""
    return "".join(
        f"{mixture} {utterances[mixture][side]} {SIDES[other]}/{enrolling}\n"
        for (mixture, side), (enrolling, other) in sorted(enrollments.items())
    )


def _parse(line: str, utterances: Mapping[str, tuple[str, str]]) -> tuple[tuple[str, int], tuple[str, int]]:
    fields = line.split()
    side, slash, enrolling = fields[2].partition("/") if len(fields) == 3 else ("", "", "")
    if not slash or side not in SIDES:
        raise ValueError(f"expected '<mixture> <target utterance> s1|s2/<mixture>', got '{line}'")
    mixture, utt = fields[:2]
    for name in (mixture, enrolling):
        if name not in utterances:
            raise ValueError(f"mixture '{name}' is not in the metadata of the set")
    if utt not in utterances[mixture]:
        raise ValueError(f"utterance '{utt}' is not in mixture '{mixture}'")
    enrollment = enrolling, SIDES.index(side)
    speaker = speaker_of(utterances[enrolling][enrollment[1]])
    if speaker != speaker_of(utt):
        raise ValueError(f"'{fields[2]}' is speech of speaker {speaker}, the target's speaker is {speaker_of(utt)}")
    return (mixture, utterances[mixture].index(utt)), enrollment
