"""Small data directories for the tests of zspex_toolkit/io."""

import numpy as np
import pytest

from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.write import write_data_dir

FS = 16000


@pytest.fixture
def noise():
    """Noise of so many samples, on the grid of 16-bit samples, within +-0.2."""

    def make(num_samples: int, seed: int = 0) -> np.ndarray:
        steps = np.random.default_rng(seed).integers(-6000, 6000, num_samples)
        return (steps / 32768).astype(np.float32)

    return make


@pytest.fixture
def data(tmp_path, noise):
    """A valid directory: speakers ann and bob, two utterances each of 0.5, 0.6, 0.7 and 0.8 s."""
    utterances = ["ann-1", "ann-2", "bob-1", "bob-2"]
    for number, utt in enumerate(utterances):
        write_audio(tmp_path / "wav" / f"{utt}.wav", noise(8000 + 1600 * number, seed=number), FS)
    write_data_dir(
        tmp_path / "data",
        wavs={utt: str(tmp_path / "wav" / f"{utt}.wav") for utt in utterances},
        utt2spk={utt: utt[:3] for utt in utterances},
        text={utt: f"WORDS OF {utt.upper()}" for utt in utterances},
        spk2gender={"ann": "f", "bob": "m"},
        tables={"utt2num_samples": {utt: 8000 + 1600 * number for number, utt in enumerate(utterances)}},
    )
    return tmp_path / "data"


@pytest.fixture
def content():
    """Every file below a folder with its bytes: equal before and after where nothing may change."""

    def read(folder):
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return read
