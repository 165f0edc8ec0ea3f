"""The normal form of a transcript: what tokens are trained on, and both sides of a score are brought to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from os import PathLike

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.table import read_table

# from a bracket to its like on the same line, but no further than the next opening one: "a < b" is no mark
_MARK = re.compile(r"<[^<>\s][^<>]*>|\[[^\[\]\s][^\[\]]*\]")
_APOSTROPHES = "'\u2019\u02bc\u2018`\u00b4"


def normalise_text(text: str) -> str:
    """Upper case, compatibility forms made plain (NFKC), and letters, digits and combining marks alone.

    An apostrophe between two letters stays, as "'"; all else parts words. A mark in angle or square brackets, such as
    ``<unk>`` or ``[loud noise]``, is no word and goes, whatever stands beside it.

    >>> normalise_text("Don\u2019t  stop \u2014 said the well-known <unk> 'captain'.")
    "DON'T STOP SAID THE WELL KNOWN CAPTAIN"
    """
    folded = unicodedata.normalize("NFKC", _MARK.sub(" ", text)).upper()
    folded = unicodedata.normalize("NFC", folded)
    kept = []
    for place, character in enumerate(folded):
        if _is_of_word(character):
            kept.append(character)
        elif character in _APOSTROPHES and _is_between_letters(folded, place):
            kept.append("'")
        else:
            kept.append(" ")
    return " ".join("".join(kept).split())


def read_transcripts(path: str | PathLike) -> dict[str, str]:
    """The table ``text`` in normal form; an utterance without words is empty.

    Raises:
        DataDirError: with ``file:line``, if the file is missing or malformed, or no utterance has words.
    """
    transcripts = {utt: normalise_text(text) for utt, text in read_table(path, allow_empty=True).items()}
    if not any(transcripts.values()):
        raise DataDirError(f"{path}: expected '<utterance> <words>', found no words in {len(transcripts)} lines")
    return transcripts


def require_words(transcripts: Mapping[str, str], utterances: list[str], where: str | PathLike) -> None:
    """Refuse transcripts that lack an utterance or have no words for one.

    Raises:
        DataDirError: with the number of such utterances and the first.
    """
    lost = [utt for utt in utterances if not transcripts.get(utt)]
    if lost:
        raise DataDirError(
            f"{where}: expected words for each of {len(utterances)} utterances, found none for {len(lost)}, such as "
            f"'{lost[0]}'; add them, or keep the utterances with words by subset_data_dir"
        )


def _is_of_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def _is_between_letters(text: str, place: int) -> bool:
    return 0 < place < len(text) - 1 and _is_of_word(text[place - 1]) and _is_of_word(text[place + 1])
