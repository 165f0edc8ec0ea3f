"""A fake WSJ0 with lists for speaker extraction: layout and file types of the original, a few made-up speakers."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech
from zspex_toolkit.corpora.support.sphere import sphere_bytes
from zspex_toolkit.randomness import rng_for

FS = 16000
SPEAKERS = {
    "si_tr_s": ("011", "01a", "01t", "206", "20a", "401"),
    "si_dt_05": ("050", "053", "22g"),
    "si_et_05": ("440", "443", "447"),
}
NUM_UTTERANCES = {"si_tr_s": 8, "si_dt_05": 4, "si_et_05": 4}


def write_tree(root: Path, seed: int) -> None:
    """Lay out recordings, speaker information and the lists of train (tr), dev (cv) and test (tt)."""
    utterances: dict[str, dict[str, list[str]]] = {}
    information = ["; made up, as the rest", "ID   Sex"]
    for folder, speakers in SPEAKERS.items():
        utterances[folder] = {}
        for index, spk in enumerate(speakers):
            information.append(f"{spk.upper():5}{'MF'[index % 2]}    x")
            names = [f"{spk}{'ac'[number % 2]}01{number:02d}" for number in range(NUM_UTTERANCES[folder])]
            utterances[folder][spk] = [f"wsj0/{folder}/{spk}/{name}.wv1" for name in names]
            for path in utterances[folder][spk]:
                _write_speech(root / path, spk, "mf"[index % 2], seed)
    (root / "wsj0" / "doc").mkdir(parents=True)
    (root / "wsj0" / "doc" / "spkrinfo.txt").write_text("\n".join(information) + "\n", encoding="utf-8")
    training = utterances["si_tr_s"]
    sets = {
        "tr": {spk: paths[:5] for spk, paths in training.items()},
        "cv": {spk: paths[5:] for spk, paths in training.items()},
        "tt": utterances["si_dt_05"] | utterances["si_et_05"],
    }
    (root / "lists").mkdir()
    for name, of_speakers in sets.items():
        text = "".join(f"{line}\n" for line in _lines(of_speakers, rng_for(seed, "wsj0_2mix", name)))
        (root / "lists" / f"mix_2_spk_{name}_extr.txt").write_text(text, encoding="utf-8")


def _write_speech(path: Path, spk: str, gender: str, seed: int) -> None:
    seconds = rng_for(seed, path.stem).uniform(1.8, 3.0)
    speech = synthetic_speech(spk, gender, path.stem, seconds=seconds, fs=FS, seed=seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sphere_bytes(np.rint(32767 * speech), FS, "wsj0"))


def _lines(utterances: dict[str, list[str]], rng: np.random.Generator) -> list[str]:
    """Two mixtures a speaker, and two lines a mixture: each speaker is the target once."""
    speakers, lines = list(utterances), []
    for number, (index, spk) in product((0, 1), enumerate(speakers)):
        other = speakers[(index + 1 + 2 * number) % len(speakers)]
        one, two = utterances[spk][number], utterances[other][number + 1]
        snr_db = f"{rng.uniform(0.1, 2.5):.5g}"
        for path in (one, two):
            enrollment = next(each for each in reversed(utterances[path.split("/")[2]]) if each != path)
            lines.append(f"{one} {snr_db} {two} -{snr_db} {enrollment}")
    return lines
