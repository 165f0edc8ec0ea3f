"""A data directory of four made-up speakers, who differ in nothing but the band of their noise."""

from pathlib import Path

import numpy as np

from support.filter_extractor import low_noise
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.write import write_data_dir

BANDS_HZ = {"ann": (200, 700), "bob": (800, 1300), "cat": (1400, 1900), "dan": (2000, 2500)}


def write_voices(folder: Path, *, fs: int = 8000) -> Path:
    """Three utterances of 0.6 to 0.8 s of each; and a folder ``noise`` and a folder ``rooms`` beside them."""
    wavs = {}
    for number, (spk, band) in enumerate(BANDS_HZ.items()):
        for k in range(3):
            samples = low_noise(round((0.6 + 0.1 * k) * fs), 10 * number + k, fs, *band)
            wavs[f"{spk}-{k}"] = str(folder / "wav" / f"{spk}-{k}.wav")
            write_audio(wavs[f"{spk}-{k}"], samples, fs)
    write_data_dir(folder / "data", wavs=wavs, utt2spk={utt: utt.partition("-")[0] for utt in wavs})
    write_audio(folder / "noise" / "fan.wav", low_noise(fs, 99, fs, 100, 3900), fs)
    room = np.zeros(800)
    room[[0, 300, 700]] = 0.9, 0.5, 0.3
    write_audio(folder / "rooms" / "hall.wav", room, fs)
    return folder / "data"
