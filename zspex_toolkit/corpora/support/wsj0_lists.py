"""Lists of wsj0-2mix: which two utterances are mixed how loud, and which one enrolls the target.

Read are, of a set ``tr``, ``cv`` or ``tt``, the first of these that is there:

- ``mix_2_spk_<set>_extr.txt``: ``<utterance> <snr> <utterance> <snr> <enrollment>``, for speaker extraction;
- ``<set>/aux.scp``: SpEx+'s own, ``<utt>_<snr>_<utt>_<snr>_<enrollment> <path>``, both speakers in turn;
- ``mix_2_spk_<set>.txt``: the original for separation, without enrollment.

Utterances are paths of any root and suffix; only their names count. The target is the speaker of the enrollment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.blanks import read_lines
from zspex_toolkit.io.number_text import decimal

FORMS = ("mix_2_spk_{}_extr.txt", "{}/aux.scp", "mix_2_spk_{}.txt")


@dataclass(frozen=True)
class Line:
    """One mixture, and who is extracted from it; without enrollment both speakers are."""

    utterances: tuple[str, str]  # the louder one first
    snr_db: tuple[float, float]
    target: int | None = None  # number of its utterance
    enrollment: str | None = None

    @property
    def mixture(self) -> str:
        """Name of the mixture's file in the original: ``053a0501_1.2345_440c020a_-1.2345``."""
        (one, two), (snr1, snr2) = self.utterances, self.snr_db
        return f"{one}_{snr1:.5g}_{two}_{snr2:.5g}"


def speaker_of(utt: str) -> str:
    """Speaker of a WSJ0 utterance: ``053`` of ``053a0501``."""
    return utt[:3]


def list_file(folder: Path, name: str) -> Path:
    """The list of set ``name``: ``tr``, ``cv`` or ``tt``.

    Raises:
        ConfigError: if there is none.
    """
    paths = [folder / form.format(name) for form in FORMS]
    for path in paths:
        if path.is_file():
            return path
    expected = ", ".join(str(path.relative_to(folder)) for path in paths)
    raise ConfigError(f"wsj0_2mix: no list of {name} in {folder}: expected one of {expected}; set lists_dir")


def read_list(path: Path) -> list[Line]:
    """The lines of a list.

    Raises:
        DataDirError: with ``file:line``, for a line of another form, two utterances of one speaker, an enrollment of
            neither speaker, or a line that was there before.
    """
    lines: dict[Line, int] = {}
    for number, text in enumerate(read_lines(path), start=1):
        try:
            line = _parse(text)
            if line in lines:
                raise ValueError(f"the same as line {lines[line]}")
        except ValueError as fault:
            raise DataDirError(f"{path}:{number}: {fault}") from fault
        lines[line] = number
    if not lines:
        raise DataDirError(f"{path}: expected lines of mixtures, the file is empty")
    return list(lines)


def _parse(text: str) -> Line:
    fields = text.split()
    if len(fields) == 2:  # SpEx+'s keys say it all
        fields = fields[0].split("_")
        fields = fields if len(fields) == 5 else []
    if len(fields) not in (4, 5):
        raise ValueError(f"expected '<target> <snr> <interferer> <snr> <enrollment>', got '{text}'")
    names = [PurePosixPath(field).stem.lower() if number in (0, 2, 4) else "" for number, field in enumerate(fields)]
    try:
        pairs = [(names[0], decimal(fields[1])), (names[2], decimal(fields[3]))]
    except ValueError:
        raise ValueError(f"expected levels in dB as second and fourth field, got '{text}'") from None
    pairs.sort(key=lambda pair: -pair[1])  # both targets of a mixture share its file
    utterances, snr_db = (pairs[0][0], pairs[1][0]), (pairs[0][1], pairs[1][1])
    speakers = [speaker_of(utt) for utt in utterances]
    if speakers[0] == speakers[1]:
        raise ValueError(f"both utterances are of speaker {speakers[0]}: '{text}'")
    if len(fields) == 4:
        return Line(utterances, snr_db)
    if speaker_of(names[4]) not in speakers:
        raise ValueError(f"enrollment '{names[4]}' is of neither speaker of the mixture, {' and '.join(speakers)}")
    return Line(utterances, snr_db, speakers.index(speaker_of(names[4])), names[4])
