"""Extraction trials of a corpus that brings its own lists: one line per mixture and target, as a data directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from zspex_toolkit.corpora.support.account import Account
from zspex_toolkit.io.listed_trial import ListedTrial
from zspex_toolkit.io.table_set import write_tables
from zspex_toolkit.io.validate_audio import DECLARED_LEAKS


def write_trials(
    out: Path, trials: Sequence[ListedTrial], spk2gender: Mapping[str, str], account: Account, corpus_dir: Path
) -> Path:
    """Write the data directory ``out`` and its ``dropped.txt`` and print the counts.

    Args:
        out: the directory.
        trials: in any order.
        spk2gender: ``m`` or ``f``; written if it knows every target.
        account: what was dropped, and why.
        corpus_dir: for messages.

    Raises:
        DataDirError: if nothing or too little is left; nothing is written then.
    """
    account.check(len(trials), corpus_dir)
    by_id = {trial.id: trial for trial in trials}
    assert len(by_id) == len(trials), "two trials of one id"
    columns = {
        "wav.scp": "mixture",
        "spk1.scp": "reference",
        "spk2.scp": "interferer_reference",
        "enroll_spk1.scp": "enrollment",
        "utt2spk": "target",
        "utt2spk2": "interferer",
        "utt2num_samples": "num_samples",
        "utt2mixture": "mixture_id",
    }
    if all(trial.noise for trial in trials):
        columns["noise1.scp"] = "noise"
    tables = {name: {key: str(getattr(by_id[key], field)) for key in by_id} for name, field in columns.items()}
    tables["utt2condition"] = dict.fromkeys(by_id, "present")
    targets = set(tables["utt2spk"].values())
    if targets <= spk2gender.keys():
        tables["spk2gender"] = {spk: spk2gender[spk] for spk in targets}
    leaks = {key: "1" for key, trial in by_id.items() if trial.enrolls_with_target}
    if leaks:
        tables[DECLARED_LEAKS] = leaks
    else:
        (out / DECLARED_LEAKS).unlink(missing_ok=True)  # of an earlier map
    write_tables(out, tables)
    account.report(len(trials), out)
    if leaks:
        share = f"{len(leaks)} of {len(trials)} trials enroll with the target utterance itself"
        print(f"{account.corpus}: {share}: listed in {out / DECLARED_LEAKS}, scored with and without them", flush=True)
    return out
