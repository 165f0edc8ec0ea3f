"""The ``trn`` format of NIST's sclite: ``WORDS (speaker-utterance)``, a line for each utterance."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike

from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.table import sorted_keys


def write_trn(path: str | PathLike, words: Mapping[str, str], utt2spk: Mapping[str, str]) -> None:
    """Write the words of each utterance; sclite takes what stands before the first ``-`` as the speaker.

    Args:
        path: the file.
        words: of each utterance.
        utt2spk: speaker of each.
    """
    lines = [f"{words[utt]} ({trn_id(utt, utt2spk[utt])})".lstrip() for utt in sorted_keys(words)]
    write_text(path, "".join(f"{line}\n" for line in lines))


def trn_id(utt: str, spk: str) -> str:
    """An id whose part before the first ``-`` is the speaker.

    >>> trn_id("anna-b-3", "anna-b"), trn_id("3", "anna")
    ('anna_b-3', 'anna-3')
    """
    rest = utt.removeprefix(f"{spk}-")
    return f"{spk.replace('-', '_')}-{rest}"
