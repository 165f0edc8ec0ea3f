"""Word error rate of recognised speech, with an interval over speakers.

Words are aligned and counted by kaldialign: the fewest errors there can be, as Kaldi's ``compute-wer`` has them. sclite
weighs substitutions by 4, deletions and insertions by 3, and so finds a little other numbers in rare utterances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zspex_toolkit.errors import DataDirError, UserError
from zspex_toolkit.io.atomic import write_json, write_text
from zspex_toolkit.io.table import read_table, sorted_keys
from zspex_toolkit.metrics.bootstrap_interval import bootstrap_interval
from zspex_toolkit.text.normalise import normalise_text, read_transcripts
from zspex_toolkit.text.trn import write_trn

NOTHING = "*"  # in place of a word that the other side has; no word in normal form is like it


@dataclass(frozen=True)
class Config:
    """Settings of score_text."""

    data: Path  # data directory with text: what was said
    hypothesis: Path  # file text of a recogniser: what was heard
    out: Path  # folder to write: wer.json, per_utterance.tsv, alignment.txt, ref.trn, hyp.trn


@dataclass(frozen=True)
class WordErrors:
    """Words of the reference and errors against them."""

    num_words: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def errors(self) -> int:
        """All three together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors over words, in per cent; it may be above 100.

        Raises:
            ZeroDivisionError: if the reference has no words.
        """
        return 100 * self.errors / self.num_words

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.num_words + other.num_words,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


def align_words(reference: str, hypothesis: str) -> list[tuple[str, str]]:
    """Pairs of words, with ``NOTHING`` where one side has none: the alignment of fewest errors.

    >>> align_words("A B C", "A X C D")
    [('A', 'A'), ('B', 'X'), ('C', 'C'), ('*', 'D')]
    """
    return _kaldialign().align(reference.split(), hypothesis.split(), NOTHING)


def word_errors(reference: str, hypothesis: str) -> WordErrors:
    """Errors of one utterance; both sides in normal form.

    >>> word_errors("A B C", "A X C D")
    WordErrors(num_words=3, substitutions=1, deletions=0, insertions=1)
    """
    found = _kaldialign().edit_distance(reference.split(), hypothesis.split())
    return WordErrors(len(reference.split()), found["sub"], found["del"], found["ins"])


def rate_interval(errors: Mapping[str, WordErrors], utt2spk: Mapping[str, str]) -> tuple[float, float]:
    """95 % interval of the error rate in per cent: whole speakers are drawn again and again, with all their words.

    Reference: Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP
    2004; speakers in place of utterances.
    """
    of_speaker = sum_by({utt: utt2spk[utt] for utt in errors}, errors)
    spoken = {spk: found for spk, found in of_speaker.items() if found.num_words}
    # a ratio of sums is the mean over words of their speaker's rate
    rates = np.array([found.rate for found in spoken.values()])
    counts = [found.num_words for found in spoken.values()]
    return bootstrap_interval(np.repeat(rates, counts), groups=np.repeat(np.arange(len(rates)), counts))


def sum_by(group_of: Mapping[str, str], errors: Mapping[str, WordErrors]) -> dict[str, WordErrors]:
    """Errors of all utterances of each group."""
    sums: dict[str, WordErrors] = {}
    for utt in sorted_keys(errors):
        group = group_of[utt]
        sums[group] = sums.get(group, WordErrors(0, 0, 0, 0)) + errors[utt]
    return dict(sorted(sums.items()))


def score_text(config: Config) -> WordErrors:
    """Compare what was heard with what was said and write the errors; a line tells the rate.

    Raises:
        DataDirError: if an utterance is missing on either side, or a speaker in ``spk2gender``; nothing is written.
    """
    said = read_transcripts(config.data / "text")
    heard = read_table(config.hypothesis, allow_empty=True)
    heard = {utt: normalise_text(words) for utt, words in heard.items()}
    utt2spk = read_table(config.data / "utt2spk")
    _check_same_utterances(config, said, heard, utt2spk)
    errors = {utt: word_errors(said[utt], heard[utt]) for utt in sorted_keys(said)}
    total = sum(errors.values(), WordErrors(0, 0, 0, 0))
    low, high = rate_interval(errors, utt2spk)
    of_speaker = sum_by(utt2spk, errors)
    groups = {"speaker": of_speaker}
    if (config.data / "spk2gender").exists():
        groups["gender"] = sum_by(_genders(config.data / "spk2gender", {utt: utt2spk[utt] for utt in errors}), errors)
    result = {"utterances": len(errors), "speakers": len(of_speaker), **_summary(total), "interval": [low, high]}
    result |= {name: {key: _summary(found) for key, found in sums.items()} for name, sums in groups.items()}
    write_text(config.out / "per_utterance.tsv", _table(errors))
    write_text(config.out / "alignment.txt", _alignments(said, heard))
    write_trn(config.out / "ref.trn", said, utt2spk)
    write_trn(config.out / "hyp.trn", heard, utt2spk)
    write_json(config.out / "wer.json", result)
    print(
        f"{config.hypothesis}: WER {total.rate:.2f} % [{low:.2f}, {high:.2f}] of {total.num_words:,} words, "
        f"{total.substitutions} substituted, {total.deletions} deleted, {total.insertions} inserted"
    )
    return total


def _check_same_utterances(
    config: Config, said: Mapping[str, str], heard: Mapping[str, str], utt2spk: Mapping[str, str]
) -> None:
    said_in, heard_in = config.data / "text", config.hypothesis
    speakers_in = config.data / "utt2spk"
    for has, lacks, where in ((said, heard, heard_in), (heard, said, said_in), (said, utt2spk, speakers_in)):
        lost = [utt for utt in has if utt not in lacks]
        if lost:
            raise DataDirError(
                f"{where}: expected a line for each of {len(has)} utterances, found none for {len(lost)}, such as "
                f"'{lost[0]}'"
            )


def _genders(path: Path, utt2spk: Mapping[str, str]) -> dict[str, str]:
    """Gender of each utterance's speaker."""
    genders = read_table(path)
    speakers = sorted(set(utt2spk.values()))
    lost = [spk for spk in speakers if spk not in genders]
    if lost:
        raise DataDirError(
            f"{path}: expected a line for each of {len(speakers)} speakers, found none for {len(lost)}, such as "
            f"'{lost[0]}'; add them, or remove the file"
        )
    return {utt: genders[spk] for utt, spk in utt2spk.items()}


def _summary(found: WordErrors) -> dict[str, float | int | None]:
    return {
        "wer": found.rate if found.num_words else None,
        "words": found.num_words,
        "substitutions": found.substitutions,
        "deletions": found.deletions,
        "insertions": found.insertions,
    }


def _table(errors: Mapping[str, WordErrors]) -> str:
    rows = ["utterance\twords\tsubstitutions\tdeletions\tinsertions"]
    for utt, found in errors.items():
        rows.append(f"{utt}\t{found.num_words}\t{found.substitutions}\t{found.deletions}\t{found.insertions}")
    return "".join(f"{row}\n" for row in rows)


def _alignments(said: Mapping[str, str], heard: Mapping[str, str]) -> str:
    """Three lines for each utterance, in columns: what was said, what was heard, S, D or I under an error."""
    lines: list[str] = []
    for utt in sorted_keys(said):
        pairs = align_words(said[utt], heard[utt])
        widths = [max(len(word) for word in pair) for pair in pairs]
        rows: Sequence[Sequence[str]] = [
            [pair[0] for pair in pairs],
            [pair[1] for pair in pairs],
            [error_mark(*pair) for pair in pairs],
        ]
        for name, row in zip(("ref", "hyp", "err"), rows, strict=True):
            cells = " ".join(word.ljust(width) for word, width in zip(row, widths, strict=True))
            lines.append(f"{utt} {name} {cells}".rstrip())
    return "".join(f"{line}\n" for line in lines)


def error_mark(reference: str, hypothesis: str) -> str:
    """S, D, I, or nothing where the words are equal.

    >>> [error_mark(*pair) for pair in (("A", "A"), ("A", "B"), ("A", NOTHING), (NOTHING, "B"))]
    ['', 'S', 'D', 'I']
    """
    if reference == hypothesis:
        return ""
    return "D" if hypothesis == NOTHING else "I" if reference == NOTHING else "S"


def _kaldialign():
    """Loaded when needed.

    Raises:
        UserError: if the package is missing.
    """
    try:
        import kaldialign
    except ImportError as error:
        raise UserError(
            "word errors need the Python package kaldialign: install it (pip install 'zspex_toolkit[asr]')"
        ) from error
    return kaldialign
