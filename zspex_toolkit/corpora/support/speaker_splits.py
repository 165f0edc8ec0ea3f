"""Two splits of a data directory: every speaker's utterances at random, or whole speakers set apart for testing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.io.table import invert
from zspex_toolkit.io.table_set import keep_utterances, read_tables, write_tables
from zspex_toolkit.randomness import rng_for

DEFAULT_SHARE = 0.25


@dataclass(frozen=True)
class SplitConfig:
    """Settings of split_speakers."""

    data: Path  # data directory to split; it stays as it is
    train: Path  # data directory to write
    test: Path  # data directory to write
    test_share: float | None = None  # share of each speaker's utterances that are test (0.25 if nothing is set)
    test_per_speaker: int | None = None  # number of test utterances of each speaker, instead of a share
    seed: int = 0  # of the draw


@dataclass(frozen=True)
class HoldOutConfig:
    """Settings of hold_out_speakers."""

    data: Path  # data directory to split; it stays as it is
    test: Path  # data directory to write
    num_speakers: int  # speakers of test, drawn at random, of each gender as many as of the other
    train: Path | None = None  # data directory to write with all the others, if wanted
    seed: int = 0  # of the draw


def split_speakers(config: SplitConfig) -> None:
    """Write two data directories that share all speakers and no utterance; a line says how many went where.

    A share is rounded and at least one utterance. A speaker's draw depends on nothing but the seed and the own
    utterances.

    Raises:
        ConfigError: if both or senseless sizes are given, or an output is the input.
        DataDirError: for a speaker with too few utterances, with ``file:line``; nothing is written.
    """
    data, train, test = config.data, config.train, config.test
    _check_sizes(config.test_share, config.test_per_speaker)
    refuse_overwriting("train", train, [data])
    refuse_overwriting("test", test, [data, train])
    tables, kinds = read_tables(data)
    utt2spk, chosen, share = tables["utt2spk"], set(), config.test_share or DEFAULT_SHARE
    for spk, utts in invert(utt2spk).items():
        number = config.test_per_speaker or min(max(1, round(share * len(utts))), len(utts) - 1)
        if len(utts) <= number or number < 1:
            line = list(utt2spk).index(utts[0]) + 1
            found = f"speaker '{spk}' has {len(utts)} utterance{'s' if len(utts) > 1 else ''}"
            needed = f"with {max(1, number)} to test and one to train, it needs {max(1, number) + 1} or more"
            raise DataDirError(f"{data / 'utt2spk'}:{line}: {found}; {needed}; nothing was written")
        chosen.update(rng_for(config.seed, "split_speakers", spk).permutation(utts)[:number].tolist())
    counts = _write_parts(config, tables, kinds, chosen)
    print(f"split_speakers: {counts} ({len(set(utt2spk.values()))} speakers in both)", flush=True)


def hold_out_speakers(config: HoldOutConfig) -> None:
    """Write two data directories that share no speaker; a line says how many went where.

    Where ``spk2gender`` is there, the genders take turns, so both are heard as long as both last. The draw depends on
    nothing but the seed and the names and genders of the speakers.

    Raises:
        ConfigError: if an output is the input.
        DataDirError: if no speaker would be left to train, or none to test; nothing is written.
    """
    data, train, test, num_speakers = config.data, config.train, config.test, config.num_speakers
    refuse_overwriting("train", train, [data])
    refuse_overwriting("test", test, [data, train])
    tables, kinds = read_tables(data)
    utt2spk = tables["utt2spk"]
    speakers = sorted(set(utt2spk.values()))
    if len(speakers) < 2:
        raise DataDirError(f"{data}: has one speaker; expected two or more, to hold some out; nothing was written")
    if not 1 <= num_speakers < len(speakers):
        raise DataDirError(
            f"{data}: has {len(speakers)} speakers; expected num_speakers from 1 to {len(speakers) - 1},"
            f" got {num_speakers}; nothing was written"
        )
    held_out = set(_in_turns(speakers, tables.get("spk2gender", {}), config.seed)[:num_speakers])
    counts = _write_parts(config, tables, kinds, {utt for utt, spk in utt2spk.items() if spk in held_out})
    print(f"hold_out_speakers: {counts} ({num_speakers} of {len(speakers)} speakers in test alone)", flush=True)


def _write_parts(config: SplitConfig | HoldOutConfig, tables: dict, kinds: dict, chosen: Collection[str]) -> str:
    """Write the chosen utterances to test and the others to train; returns the counts."""
    rest = [utt for utt in tables["utt2spk"] if utt not in chosen]
    if config.train is not None:
        write_tables(config.train, keep_utterances(tables, kinds, rest), like=config.data)
    write_tables(config.test, keep_utterances(tables, kinds, chosen), like=config.data)
    return f"in {len(tables['utt2spk'])}, train {len(rest)}, test {len(chosen)}, dropped 0"


def _in_turns(speakers: list[str], spk2gender: dict[str, str], seed: int) -> list[str]:
    """The speakers in a random order in which the genders take turns."""
    groups: dict[str, list[str]] = {gender: [] for gender in sorted({spk2gender.get(spk, "") for spk in speakers})}
    for spk in rng_for(seed, "hold_out_speakers").permutation(speakers).tolist():
        groups[spk2gender.get(spk, "")].append(spk)
    return [spk for turn in zip_longest(*groups.values()) for spk in turn if spk is not None]


def _check_sizes(test_share: float | None, test_per_speaker: int | None) -> None:
    if test_share is not None and test_per_speaker is not None:
        raise ConfigError("give either --test_share or --test_per_speaker, not both")
    if test_share is not None and not 0 < test_share < 1:
        raise ConfigError(f"expected --test_share between 0 and 1, got {test_share:g}")
    if test_per_speaker is not None and test_per_speaker < 1:
        raise ConfigError(f"expected --test_per_speaker of 1 or more, got {test_per_speaker}")
