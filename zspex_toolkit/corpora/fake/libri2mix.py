"""A fake Libri2Mix: LibriSpeech's and LibriMix's layout and file types, a few made-up speakers, a few seconds each."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import soundfile

from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech
from zspex_toolkit.corpora.support.librimix_metadata import COLUMNS, INFO_COLUMNS
from zspex_toolkit.randomness import rng_for

FS = 16000
SPEAKERS = {
    "train-clean-100": ("19", "26", "27", "32", "39", "103", "1034"),
    "dev-clean": ("84", "174", "251", "422", "652"),
    "test-clean": ("61", "121", "237", "260", "672"),
}
NUM_UTTERANCES = {"train-clean-100": 8, "dev-clean": 4, "test-clean": 4}
NOISE_FOLDER = {"train-clean-100": "tr", "dev-clean": "cv", "test-clean": "tt"}


def write_tree(root: Path, seed: int) -> None:
    """Lay out LibriSpeech, the metadata, WHAM's noise and an enrollment map of the test set."""
    genders = {spk: "FM"[index % 2] for speakers in SPEAKERS.values() for index, spk in enumerate(speakers)}
    lines = [f"{spk:5}| {genders[spk]} | {subset:16} | 25.03 | Nobody {spk}\n"
             for subset, speakers in SPEAKERS.items() for spk in speakers]  # fmt: skip
    (root / "LibriSpeech").mkdir(parents=True)
    header = ";ID  |SEX| SUBSET           |MINUTES| NAME\n"
    (root / "LibriSpeech" / "SPEAKERS.TXT").write_text(header + "".join(lines), encoding="utf-8")
    (root / "metadata" / "Libri2Mix").mkdir(parents=True)
    for subset in SPEAKERS:
        utterances = _write_speech(root / "LibriSpeech", subset, genders, seed)
        pairs = _write_metadata(root, subset, utterances, genders, seed)
        if subset == "test-clean":
            _write_map(root / "metadata" / "Libri2Mix" / "test", pairs)


def _write_speech(speech: Path, subset: str, genders: dict[str, str], seed: int) -> dict[str, list[str]]:
    """FLAC files and transcripts; returns each speaker's utterances."""
    utterances: dict[str, list[str]] = {}
    for spk in SPEAKERS[subset]:
        folder = speech / subset / spk / "13751"
        folder.mkdir(parents=True)
        utterances[spk] = [f"{spk}-13751-{number:04d}" for number in range(NUM_UTTERANCES[subset])]
        for utt in utterances[spk]:
            seconds = rng_for(seed, utt).uniform(1.8, 3.0)
            samples = synthetic_speech(spk, genders[spk].lower(), utt, seconds=seconds, fs=FS, seed=seed)
            soundfile.write(folder / f"{utt}.flac", samples, FS, subtype="PCM_16")
        text = "".join(f"{utt} THIS IS NUMBER {utt[-1]}\n" for utt in utterances[spk])
        (folder / f"{spk}-13751.trans.txt").write_text(text, encoding="utf-8")
    return utterances


def _write_metadata(root: Path, subset: str, utterances, genders, seed: int) -> list[tuple[str, str]]:
    """The CSVs, and a noise for every third mixture, one of them too short; returns the utterances of each mixture."""
    speakers = list(utterances)
    pairs = []
    for number, (index, spk) in product(range(NUM_UTTERANCES[subset]), enumerate(speakers)):
        other = speakers[(index + 1 + number % (len(speakers) - 1)) % len(speakers)]
        if number % 2 == 0:
            pairs.append((utterances[spk][number], utterances[other][(number + 1) % NUM_UTTERANCES[subset]]))
    pairs.append((pairs[0][0], pairs[3][1]))  # utterances that were mixed before, as in LibriMix
    lines, info = [",".join(COLUMNS)], [",".join(INFO_COLUMNS)]
    for number, (one, two) in enumerate(pairs):
        rng = rng_for(seed, one, two)
        gains = [repr(float(gain)) for gain in rng.uniform(0.4, 1.1, 3)]
        noise = f"{NOISE_FOLDER[subset]}/noise{number // 3}.wav"
        paths = [f"{subset}/{utt.replace('-', '/', 1).rpartition('-')[0]}/{utt}.flac" for utt in (one, two)]
        lines.append(",".join([f"{one}_{two}", paths[0], gains[0], paths[1], gains[1], noise, gains[2]]))
        sexes = [f"{utt.partition('-')[0]}.0,{genders[utt.partition('-')[0]]}" for utt in (one, two)]
        info.append(",".join([f"{one}_{two}", *sexes]))
        if number % 3 == 0:
            _write_noise(root / "wham_noise" / noise, seconds=1.2 if number == 3 else 3.2, seed=seed)
    folder = root / "metadata" / "Libri2Mix"
    (folder / f"libri2mix_{subset}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / f"libri2mix_{subset}_info.csv").write_text("\n".join(info) + "\n", encoding="utf-8")
    return pairs


def _write_noise(path: Path, *, seconds: float, seed: int) -> None:
    """Two channels, as WHAM's recordings have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = 0.02 * rng_for(seed, str(path.name)).standard_normal((int(seconds * FS), 2))
    soundfile.write(path, noise.astype(np.float32), FS, subtype="PCM_16")


def _write_map(folder: Path, pairs: list[tuple[str, str]]) -> None:
    """Enrollments in the published format; the first enrolls with the target utterance itself, as some do there."""
    lines = []
    for pair in pairs:
        for utt in pair:
            spk = f"{utt.partition('-')[0]}-"
            sources = [(f"s{side + 1}/{'_'.join(each)}", each[side]) for each in pairs for side in (0, 1)]
            own = [name for name, other in sources if other == utt and name.partition("/")[2] != "_".join(pair)]
            others = [name for name, other in sources if other.startswith(spk) and other != utt]
            lines.append(f"{'_'.join(pair)} {utt} {own[0] if own and not lines else others[0]}\n")
    folder.mkdir(parents=True)
    (folder / "map_mixture2enrollment").write_text("".join(lines), encoding="utf-8")
