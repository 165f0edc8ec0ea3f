"""Set whole speakers apart for testing: nobody is in both parts."""

from __future__ import annotations

import os
from itertools import zip_longest
from pathlib import Path

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.table_set import keep_utterances, read_tables, write_tables
from zspex_toolkit.randomness import rng_for


def hold_out_speakers(
    data: str | os.PathLike,
    train: str | os.PathLike | None,
    test: str | os.PathLike,
    *,
    num_speakers: int,
    seed: int = 0,
) -> tuple[list[str], list[str]]:
    """Write two data directories that share no speaker; a line says who went where.

    Args:
        data: data directory; every table of it is split.
        train: data directory to write; None: the rest is not wanted.
        test: data directory to write, with ``num_speakers`` speakers drawn at random; where ``spk2gender`` is there,
            the genders take turns, so both are heard as long as both last.
        seed: decides the draw, which depends on nothing but it and the names and genders of the speakers.

    Returns:
        Speakers of train and of test.

    Raises:
        ConfigError: if an output is the input.
        DataDirError: if no speaker would be left to train, or none to test; nothing is written.
    """
    paths = [os.path.abspath(path) for path in (data, train, test) if path is not None]
    if len(set(paths)) < len(paths):
        raise ConfigError(f"expected different directories, got data {data}, train {train}, test {test}")
    tables, kinds = read_tables(data)
    utt2spk = tables["utt2spk"]
    speakers = sorted(set(utt2spk.values()))
    if not 1 <= num_speakers < len(speakers):
        raise DataDirError(
            f"{Path(data)}: has {len(speakers)} speakers; expected num_speakers from 1 to {len(speakers) - 1},"
            f" got {num_speakers}; nothing was written"
        )
    held_out = set(_in_turns(speakers, tables.get("spk2gender", {}), seed)[:num_speakers])
    parts = {True: [], False: []}
    for utt, spk in utt2spk.items():
        parts[spk in held_out].append(utt)
    if train is not None:
        write_tables(train, keep_utterances(tables, kinds, parts[False]), like=data)
    write_tables(test, keep_utterances(tables, kinds, parts[True]), like=data)
    counts = f"in {len(utt2spk)}, train {len(parts[False])}, test {len(parts[True])}, dropped 0"
    print(f"hold_out_speakers: {counts} ({num_speakers} of {len(speakers)} speakers in test alone)", flush=True)
    return [spk for spk in speakers if spk not in held_out], sorted(held_out)


def _in_turns(speakers: list[str], spk2gender: dict[str, str], seed: int) -> list[str]:
    """The speakers in a random order in which the genders take turns."""
    groups: dict[str, list[str]] = {gender: [] for gender in sorted({spk2gender.get(spk, "") for spk in speakers})}
    for spk in rng_for(seed, "hold_out_speakers").permutation(speakers).tolist():
        groups[spk2gender.get(spk, "")].append(spk)
    return [spk for turn in zip_longest(*groups.values()) for spk in turn if spk is not None]
