"""Cut a data directory down to some of its utterances."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.io.table import invert, read_table
from zspex_toolkit.io.table_set import keep_utterances, read_tables, write_tables


@dataclass(frozen=True)
class Config:
    """Settings of subset_data_dir."""

    data: Path  # data directory
    out: Path  # data directory to write
    first: int | None = None  # the first so many utterances of those chosen otherwise
    per_speaker: int | None = None  # at most so many utterances of each speaker, evenly spread
    utterances: Path | None = None  # file whose first column lists utterances
    speakers: Path | None = None  # file whose first column lists speakers


def subset_data_dir(config: Config) -> tuple[int, int]:
    """Write the chosen utterances of ``data`` to ``out``; choices given together all have to hold.

    Returns:
        The numbers of utterances in ``data`` and written to ``out``.

    Raises:
        ConfigError: if no choice is given, a number is not positive, or ``out`` is an input.
        DataDirError: if a listed name is not in ``data``, or no utterance is left; nothing is written.
    """
    data, out, first, per_speaker = config.data, config.out, config.first, config.per_speaker
    if first is per_speaker is config.utterances is config.speakers is None:
        raise ConfigError("choose utterances by at least one of: first, per_speaker, utterances, speakers")
    for name, number in (("first", first), ("per_speaker", per_speaker)):
        if number is not None and number < 1:
            raise ConfigError(f"{name}: expected a number of at least 1, got {number}")
    refuse_overwriting("out", out, [data, config.utterances, config.speakers])
    tables, kinds = read_tables(data)
    utt2spk = tables["utt2spk"]
    chosen = list(utt2spk)
    if config.utterances is not None:
        listed = _listed(config.utterances, set(utt2spk), f"an utterance of {data}")
        chosen = [utt for utt in chosen if utt in listed]
    if config.speakers is not None:
        listed = _listed(config.speakers, set(utt2spk.values()), f"a speaker of {data}")
        chosen = [utt for utt in chosen if utt2spk[utt] in listed]
    if per_speaker is not None:
        chosen = _spread(chosen, utt2spk, per_speaker)
    chosen = chosen[:first]
    if not chosen:
        raise DataDirError(f"{data}: no utterance fits the choice; nothing was written")
    write_tables(out, keep_utterances(tables, kinds, chosen), like=data)
    return len(utt2spk), len(chosen)


def _listed(path: str | os.PathLike, known: set[str], what: str) -> set[str]:
    listed = read_table(path, allow_empty=True)
    for number, key in enumerate(listed, start=1):
        if key not in known:
            raise DataDirError(f"{Path(path)}:{number}: '{key}' is not {what}")
    return set(listed)


def _spread(utterances: list[str], utt2spk: dict[str, str], per_speaker: int) -> list[str]:
    """Every (n / per_speaker)-th utterance of each speaker, so that no session is favoured."""
    kept = set()
    for of_speaker in invert({utt: utt2spk[utt] for utt in utterances}).values():
        count = min(per_speaker, len(of_speaker))
        kept.update(of_speaker[position * len(of_speaker) // count] for position in range(count))
    return [utt for utt in utterances if utt in kept]
