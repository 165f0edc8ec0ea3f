"""Split a data directory into near-equal parts, one per job."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.known_tables import tables_of
from zspex_toolkit.io.table_set import keep_utterances, read_tables, write_tables
from zspex_toolkit.io.temporary import remove_leftovers, temporary_folder

_SOURCE = ".source.json"


@dataclass(frozen=True)
class Config:
    """Settings of split_data_dir."""

    data: Path  # data directory
    nj: int  # number of parts
    per_utterance: bool = False  # cut between any two utterances; the parts go to data/splitNutt


def split_data_dir(config: Config) -> list[Path]:
    """Write ``data/splitN/1`` to ``data/splitN/N``, or ``data/splitNutt/...`` with ``per_utterance``.

    An existing split is kept if it was made from the same tables.

    Returns:
        The N directories.

    Raises:
        ConfigError: if N is below 1 or above the number of speakers (utterances).
        DataDirError: if ``data`` is malformed.
    """
    data, nj, per_utterance = config.data, config.nj, config.per_utterance
    if nj < 1:
        raise ConfigError(f"nj: expected 1 part or more, got {nj}")
    target = data / f"split{nj}{'utt' if per_utterance else ''}"
    parts = [target / str(job) for job in range(1, nj + 1)]
    source = _fingerprint(data)
    remove_leftovers(target)
    if (target / _SOURCE).is_file() and json.loads((target / _SOURCE).read_text(encoding="utf-8")) == source:
        return parts
    tables, kinds = read_tables(data)
    utt2spk = tables["utt2spk"]
    groups: dict[str, list[str]] = {}
    for utt, spk in utt2spk.items():
        groups.setdefault(utt if per_utterance else spk, []).append(utt)
    if not 1 <= nj <= len(groups):
        count = f"{len(groups)} {'utterance' if per_utterance else 'speaker'}{'s' * (len(groups) != 1)}"
        what = count if per_utterance else f"{count}; more parts need per_utterance"
        raise ConfigError(f"nj: cannot split {data} into {nj} parts, it has {what}")
    with temporary_folder(target) as new, temporary_folder(target) as old:
        for job, utterances in enumerate(near_equal_parts(list(groups.values()), nj), start=1):
            write_tables(new / str(job), keep_utterances(tables, kinds, utterances), like=data)
        write_json(new / _SOURCE, source)
        if target.exists():
            os.replace(target, old)
        os.replace(new, target)
    return parts


def near_equal_parts(groups: list[list[str]], num_parts: int) -> list[list[str]]:
    """Cut a list of groups, none of them cut itself, into parts of near-equal numbers of members, none empty.

    >>> near_equal_parts([["a1", "a2"], ["b1"], ["c1"]], 2)
    [['a1', 'a2'], ['b1', 'c1']]
    """
    total, done, first = sum(map(len, groups)), 0, 0
    parts = []
    for part in range(1, num_parts + 1):
        members: list[str] = []
        # Each later part needs one group at least; up to there, a group is taken while that brings the cut nearer.
        while first < len(groups) - (num_parts - part):
            excess = done + len(members) + len(groups[first]) / 2 - total * part / num_parts
            if members and part < num_parts and excess > 0:
                break
            members += groups[first]
            first += 1
        done += len(members)
        parts.append(members)
    return parts


def _fingerprint(data: Path) -> dict[str, list[int]]:
    return {name: [(data / name).stat().st_size, (data / name).stat().st_mtime_ns] for name in tables_of(data)}
