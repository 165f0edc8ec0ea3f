"""MC-WSJ-AV (LDC2014S03), overlapping part: two speakers read at once; headsets, lapels and two arrays record them.

Nine pairs of ten speakers. A recording is one pair and two prompts, with a file for each microphone, named like
``AMI_WSJ_OLAP_17_18-Headset2_T3c020w_T2c0207.wav``. Folder depth and letter case vary between releases, so files are
found by name: ``OVERLAPPING`` below is the one place that knows how they are called.

Written for arXiv 2001.06397, Table 4: ``headset_*`` has both speakers of a recording, each by the own headset, as
``<spk>-<spk1>_<spk2>_<prompts>``; ``array1_*`` and ``array2_*`` have the mixture as an array microphone heard it, under
the first speaker's utterance, with ``utt2spk2`` (the other speaker) and ``spk1.scp``, ``spk2.scp`` (the headsets).

Readings, where the sources are silent: ``Headset1`` belongs to the first speaker of the name and ``Headset2`` to the
second; the paper's array microphones 1 (M1) and 2 (M2) are channels 1 and 2 of the first array.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech
from zspex_toolkit.corpora.support.account import Account
from zspex_toolkit.corpora.support.recordings import existing_root, fault_of, find_files
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.table_set import write_tables
from zspex_toolkit.randomness import rng_for

OVERLAPPING = re.compile(
    r"AMI_WSJ_OLAP_(?P<spk1>\d+)_(?P<spk2>\d+)-(?P<microphone>\w+(-\d+)?)_(?P<prompt1>T\w+)_(?P<prompt2>T\w+)\.(wav|flac)",
    re.IGNORECASE,
)
STATIONARY = re.compile(r"AMI_WSJ\d+-(?P<microphone>\w+(-\d+)?)_(?P<prompt>T\w+)\.(wav|flac)", re.IGNORECASE)


@dataclass
class Recording:
    """Two speakers at once: the file of each microphone, by the microphone's name in lower case."""

    spk1: str
    spk2: str
    prompts: str  # <prompt1>_<prompt2>
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.spk1}_{self.spk2}_{self.prompts}"

    def utt(self, spk: str) -> str:
        """Utterance id of one of the two speakers."""
        return f"{spk}-{self.name}"


def prepare(
    corpus_dir: Path,
    out: Path,
    *,
    fs: int = 16000,
    m1: str = "Array1-1",
    m2: str = "Array1-2",
    num_test_per_pair: int = 70,
    seed: int = 0,
    max_fault_share: float = 0.05,
) -> list[Path]:
    """Write ``out/{headset,array1,array2}_{train,test}``, the same recordings in the three test sets.

    Args:
        m1, m2: microphones of the mixtures (``array1_*``, ``array2_*``), as they stand in the file names.
        num_test_per_pair: recordings of each pair, drawn at random with ``seed``, that are the test set; a pair with
            fewer than twice as many gives a quarter of its recordings (and a line says so).
        max_fault_share: share of broken or missing recordings that are dropped; with more, nothing is written.

    Raises:
        ConfigError: if the root is missing or ``num_test_per_pair`` is not positive.
        DataDirError: if it holds no complete recording, or too many broken ones.
    """
    if num_test_per_pair < 1:
        raise ConfigError(f"mc_wsj_av: expected num_test_per_pair of 1 or more, got {num_test_per_pair}")
    root, account = existing_root("mc_wsj_av", corpus_dir), Account("mc_wsj_av", max_fault_share)
    recordings = _usable(_find(root), ("headset1", "headset2", m1.lower(), m2.lower()), fs, account)
    account.check(len(recordings), root)
    test = _draw_test(recordings, num_test_per_pair, seed)
    written = []
    for part in ("train", "test"):
        members = [recording for recording in recordings if (recording.name in test) == (part == "test")]
        written.append(_write_headset(Path(out, f"headset_{part}"), members))
        written += [_write_array(Path(out, f"array{n}_{part}"), members, m.lower()) for n, m in ((1, m1), (2, m2))]
    account.report(len(recordings), out)
    return written


def fake_tree(root: Path, *, seed: int = 0) -> None:
    """Four pairs of six speakers, eight recordings a pair, six microphones; two stationary files and a stray one."""
    root = Path(root)
    for spk1, spk2 in (("17", "18"), ("18", "21"), ("21", "22"), ("23", "24")):
        for number in range(8):
            prompts = {spk1: f"T{number % 3 + 1}c02{number:02d}", spk2: f"T2c03{number:02d}"}
            seconds = rng_for(seed, spk1, number).uniform(1.5, 2.5)
            speech = [
                synthetic_speech(spk, "mf"[int(spk) % 2], prompt, seconds=seconds, fs=16000, seed=seed)
                for spk, prompt in prompts.items()
            ]
            for microphone, (gain1, gain2) in _FAKE_GAINS.items():
                name = f"AMI_WSJ_OLAP_{spk1}_{spk2}-{microphone}_{prompts[spk1]}_{prompts[spk2]}.wav"
                path = root / "audio" / "olap" / f"{spk1}_{spk2}" / microphone.partition("-")[0].lower() / name
                path.parent.mkdir(parents=True, exist_ok=True)
                noise = 0.002 * rng_for(seed, name).standard_normal(len(speech[0]))
                mixture = (gain1 * speech[0] + gain2 * speech[1] + noise).astype(np.float32)
                soundfile.write(path, mixture, 16000, subtype="PCM_16")
    speech = synthetic_speech("17", "f", "stationary", seconds=1.5, fs=16000, seed=seed)
    for name in ("AMI_WSJ17-Array2-4_T7c0210.wav", "AMI_WSJ17-Headset1_T7c0210.wav", "calibration.wav"):
        path = root / "audio" / "stat" / "T7" / "5k" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, speech, 16000, subtype="PCM_16")


_FAKE_GAINS = {
    "Headset1": (1.0, 0.05),
    "Headset2": (0.05, 1.0),
    "Lapel1": (0.8, 0.3),
    "Array1-1": (0.5, 0.4),
    "Array1-2": (0.4, 0.45),
    "Array2-1": (0.3, 0.5),
}


def _find(root: Path) -> list[Recording]:
    """Overlapping recordings, sorted; says what else lay there."""
    found: dict[tuple[str, str, str], Recording] = {}
    others: dict[str, list[Path]] = defaultdict(list)
    for path in find_files(root, (".wav", ".flac")):
        name = OVERLAPPING.fullmatch(path.name)
        if name is None:
            kind = (
                "of the stationary part" if STATIONARY.fullmatch(path.name) else "with names that fit neither pattern"
            )
            others[kind].append(path)
            continue
        key = (name["spk1"], name["spk2"], f"{name['prompt1']}_{name['prompt2']}".lower())
        recording = found.setdefault(key, Recording(*key))
        if recording.files.setdefault(name["microphone"].lower(), path) != path:
            others["that are second copies"].append(path)
    microphones = Counter(microphone for recording in found.values() for microphone in recording.files)
    counts = ", ".join(f"{microphone} {number}" for microphone, number in sorted(microphones.items()))
    print(f"mc_wsj_av: overlapping files by microphone: {counts or 'none'}")
    for kind, paths in sorted(others.items()):
        print(f"mc_wsj_av: ignored {len(paths)} files {kind} (first: {paths[0].relative_to(root)})")
    return [found[key] for key in sorted(found)]


def _usable(recordings: list[Recording], microphones: tuple[str, ...], fs: int, account: Account) -> list[Recording]:
    """Recordings whose files are all there and fit; the others are dropped with the first reason."""
    usable = []
    for recording in recordings:
        for microphone in microphones:
            if microphone not in recording.files:
                account.drop(recording.name, f"no {microphone} file")
                break
            if fault := fault_of(recording.files[microphone], fs)[0]:
                account.drop(recording.name, f"{microphone}: {fault}")
                break
        else:
            usable.append(recording)
    return usable


def _draw_test(recordings: list[Recording], num_test_per_pair: int, seed: int) -> set[str]:
    """Names of the test recordings."""
    pairs: dict[str, list[str]] = defaultdict(list)
    for recording in recordings:
        pairs[f"{recording.spk1}_{recording.spk2}"].append(recording.name)
    test: set[str] = set()
    for pair, names in pairs.items():
        number = num_test_per_pair
        if len(names) < 2 * number:
            number = max(1, len(names) // 4)
            print(f"mc_wsj_av: pair {pair} has {len(names)} recordings only: {number} of them are the test set")
        test.update(rng_for(seed, "mc_wsj_av", pair).permutation(names)[:number].tolist())
    return test


def _write_headset(out: Path, recordings: list[Recording]) -> Path:
    wavs, utt2spk = {}, {}
    for recording in recordings:
        for spk, microphone in ((recording.spk1, "headset1"), (recording.spk2, "headset2")):
            wavs[recording.utt(spk)] = str(recording.files[microphone])
            utt2spk[recording.utt(spk)] = spk
    write_tables(out, {"wav.scp": wavs, "utt2spk": utt2spk})
    return out


def _write_array(out: Path, recordings: list[Recording], microphone: str) -> Path:
    named = {recording.utt(recording.spk1): recording for recording in recordings}
    tables = {
        "wav.scp": {utt: str(recording.files[microphone]) for utt, recording in named.items()},
        "utt2spk": {utt: recording.spk1 for utt, recording in named.items()},
        "utt2spk2": {utt: recording.spk2 for utt, recording in named.items()},
        "spk1.scp": {utt: str(recording.files["headset1"]) for utt, recording in named.items()},
        "spk2.scp": {utt: str(recording.files["headset2"]) for utt, recording in named.items()},
    }
    write_tables(out, tables)
    return out
