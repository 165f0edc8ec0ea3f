"""Recordings of "words" that are tones, which a recogniser learns in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.write import write_data_dir

FS = 8000
TONES = {"do": 400.0, "re": 700.0, "mi": 1100.0, "fa": 1700.0}


def say(words: list[str], rng: np.random.Generator) -> np.ndarray:
    """Each word 0.2 s of its tone, 0.1 s of near silence before and after."""
    parts = [np.zeros(FS // 10)]
    for word in words:
        time = np.arange(FS // 5) / FS
        parts += [0.3 * np.sin(2 * np.pi * TONES[word] * time), np.zeros(FS // 10)]
    samples = np.concatenate(parts)
    return samples + 0.003 * rng.normal(size=len(samples))


def write_words(out: Path, *, speakers: tuple[str, ...], per_speaker: int, seed: int = 0) -> Path:
    """A data directory with ``text``."""
    rng = np.random.default_rng(seed)
    wavs, text, utt2spk = {}, {}, {}
    for spk in speakers:
        for number in range(per_speaker):
            utt = f"{spk}-{number:03d}"
            words = [str(word) for word in rng.choice(list(TONES), size=rng.integers(2, 6))]
            path = out / "wav" / f"{utt}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_audio(path, say(words, rng).astype(np.float32), FS)
            wavs[utt], text[utt], utt2spk[utt] = str(path), " ".join(words), spk
    write_data_dir(out, wavs=wavs, utt2spk=utt2spk, text=text, spk2gender=dict.fromkeys(speakers, "f"))
    return out
