"""The command as a user types it: what it writes is a model."""

import numpy as np
import soundfile

from zspex_toolkit.bin.extract import main as extract
from zspex_toolkit.bin.pack_model import main


def test_a_packed_model_extracts_what_its_experiment_extracts(extraction):
    main(["--model", str(extraction / "exp"), "--out", str(extraction / "packed"), "--storage", "int8"])
    mixture, enrollment = (str(extraction / name) for name in ("mix.wav", "me.wav"))
    arguments = ["--mixture", mixture, "--enrollment", enrollment, "--device", "cpu"]
    for model in ("exp", "packed"):
        extract(["--model", str(extraction / model), "--output", str(extraction / f"{model}.wav"), *arguments])
    full, small = (soundfile.read(extraction / f"{model}.wav")[0] for model in ("exp", "packed"))
    assert np.corrcoef(full, small)[0, 1] > 0.99
