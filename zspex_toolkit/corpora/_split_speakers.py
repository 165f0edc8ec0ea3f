"""Split every speaker's utterances at random into training and test: all speakers are in both."""

from __future__ import annotations

import os
from pathlib import Path

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.table import invert
from zspex_toolkit.io.table_set import keep_utterances, read_tables, write_tables
from zspex_toolkit.randomness import rng_for

DEFAULT_SHARE = 0.25


def split_speakers(
    data: str | os.PathLike,
    train: str | os.PathLike,
    test: str | os.PathLike,
    *,
    test_share: float | None = None,
    test_per_speaker: int | None = None,
    seed: int = 0,
) -> tuple[int, int]:
    """Write two data directories that share all speakers and no utterance; a line says how many went where.

    Args:
        data: data directory; every table of it is split.
        train: data directory to write.
        test: data directory to write.
        test_share: share of each speaker's utterances that are test, rounded, at least one; 0.25 if nothing is given.
        test_per_speaker: number of test utterances of each speaker, instead of a share.
        seed: decides the draw, which depends on nothing but it and the speaker's own utterances.

    Returns:
        Numbers of utterances in train and in test.

    Raises:
        ConfigError: if both or senseless sizes are given, or an output is the input.
        DataDirError: for a speaker with too few utterances, with ``file:line``; nothing is written.
    """
    _check_sizes(test_share, test_per_speaker)
    paths = {os.path.abspath(path) for path in (data, train, test)}
    if len(paths) < 3:
        raise ConfigError(f"expected three different directories, got data {data}, train {train}, test {test}")
    tables, kinds = read_tables(data)
    utt2spk, chosen = tables["utt2spk"], set()
    for spk, utts in invert(utt2spk).items():
        number = test_per_speaker or min(max(1, round((test_share or DEFAULT_SHARE) * len(utts))), len(utts) - 1)
        if len(utts) <= number or number < 1:
            line = list(utt2spk).index(utts[0]) + 1
            found = f"speaker '{spk}' has {len(utts)} utterance{'s' if len(utts) > 1 else ''}"
            needed = f"with {max(1, number)} to test and one to train, it needs {max(1, number) + 1} or more"
            raise DataDirError(f"{Path(data) / 'utt2spk'}:{line}: {found}; {needed}; nothing was written")
        chosen.update(rng_for(seed, "split_speakers", spk).permutation(utts)[:number].tolist())
    rest = [utt for utt in utt2spk if utt not in chosen]
    write_tables(train, keep_utterances(tables, kinds, rest), like=data)
    write_tables(test, keep_utterances(tables, kinds, chosen), like=data)
    counts = f"in {len(utt2spk)}, train {len(rest)}, test {len(chosen)}, dropped 0"
    print(f"split_speakers: {counts} ({len(set(utt2spk.values()))} speakers in both)", flush=True)
    return len(rest), len(chosen)


def _check_sizes(test_share: float | None, test_per_speaker: int | None) -> None:
    if test_share is not None and test_per_speaker is not None:
        raise ConfigError("give either --test_share or --test_per_speaker, not both")
    if test_share is not None and not 0 < test_share < 1:
        raise ConfigError(f"expected --test_share between 0 and 1, got {test_share:g}")
    if test_per_speaker is not None and test_per_speaker < 1:
        raise ConfigError(f"expected --test_per_speaker of 1 or more, got {test_per_speaker}")
