"""The mixtures of a data directory as an experiment sees them: who is asked for, who is known, who spoke what."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from zspex_toolkit.data.mixture_segments import StoredMixtures
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.signal.front_end import FrontEndConfig
from zspex_toolkit.simulation.plan import read_plans


@dataclass(frozen=True)
class MixtureSet:
    """One direction of a set of mixtures.

    Attributes:
        path: its data directory.
        names: mixtures.
        feats: features of each, (L, F).
        asked, known: the speaker asked for and the known one, of each.
        row: what every line of the scores says of the set.
    """

    path: Path
    names: list[str]
    feats: list[Tensor]
    asked: list[str]
    known: list[str]
    row: dict[str, Any]


def load_mixtures(path: Path, front_end: FrontEndConfig, given: str, part: str) -> MixtureSet:
    """Read the mixtures of ``path``.

    Args:
        path: data directory of mixtures; its name ends in the condition, as ``mix_test_snr-5`` or ``test_array1``.
        front_end: of the model that is to read them.
        given: e2 (the interferer is known) or e1.
        part: train or test.

    Raises:
        DataDirError: if something is missing or was made with another front end.
    """
    if given not in ("e1", "e2"):
        raise ConfigError(f"given: expected e1 or e2, got '{given}'")
    mixtures = StoredMixtures(StoredFeatures(path, front_end))
    names = list(mixtures.utterances)
    targets, interferers = ([table[name] for name in names] for table in (mixtures.utt2spk, mixtures.utt2spk2))
    asked, known = (targets, interferers) if given == "e2" else (interferers, targets)
    trials = "".join(f"{name} {one} {other}\n" for name, one, other in zip(names, asked, known, strict=True))
    condition = condition_of(path)
    row = {
        "given": given,
        "condition": condition,
        "snr_db": float(condition.removeprefix("snr")) if condition.startswith("snr") else None,
        "set": part,
        "num_dropped": _count_dropped(path),
        "list_hash": hashlib.sha256(trials.encode()).hexdigest()[:12],
    }
    return MixtureSet(path, names, [mixtures.features[name] for name in names], asked, known, row)


def _count_dropped(path: Path) -> int:
    """Utterances that planning, features or detection dropped on the way to this set."""
    dropped = path / "dropped.txt"
    return len(dropped.read_text(encoding="utf-8").splitlines()) if dropped.exists() else 0


def condition_of(path: Path) -> str:
    """``snr-5`` of ``mix_test_snr-5``, ``array1`` of ``array1_test``.

    Raises:
        ConfigError: for a name of another form.
    """
    parts = [part for part in path.name.split("_") if part not in ("mix", "train", "test")]
    if len(parts) != 1 or len(path.name.split("_")) == 1 or not re.fullmatch(r"snr-?\d+(\.\d+)?|(?!snr).+", parts[0]):
        raise ConfigError(
            f"{path}: expected a name like mix_test_snr0 or array1_test, from which the condition is read"
        )
    return parts[0]


def source_utterances(mixtures: MixtureSet, clean: DataDir) -> list[str]:
    """The clean utterance of the speaker asked for, for each mixture.

    Simulated sets say it in ``plan.jsonl``; recorded ones by ``spk1.scp`` and ``spk2.scp``, whose paths are those of
    the clean directory's ``wav.scp``.

    Raises:
        DataDirError: for a mixture whose utterance is not in ``clean``.
    """
    number = 0 if mixtures.row["given"] == "e2" else 1
    if (mixtures.path / "plan.jsonl").exists():
        plans = {plan.id: plan for plan in read_plans(mixtures.path / "plan.jsonl")}
        utterances = {name: plans[name].sources[number].pieces[0].utt for name in mixtures.names if name in plans}
    else:
        utt_of = {wav: utt for utt, wav in clean.wavs.items()}
        paths = read_table(mixtures.path / f"spk{number + 1}.scp")
        utterances = {name: utt_of[path] for name, path in paths.items() if path in utt_of}
    for name in mixtures.names:
        if utterances.get(name) not in clean.utt2spk:
            raise DataDirError(f"{mixtures.path}: the clean utterance in mixture '{name}' is not in {clean.path}")
    return [utterances[name] for name in mixtures.names]
