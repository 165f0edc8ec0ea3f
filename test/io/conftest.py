"""Small data directories for the tests of zspex_toolkit/io."""

import pytest

from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.write import write_data_dir

FS = 16000


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
