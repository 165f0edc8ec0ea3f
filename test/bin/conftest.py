"""A small untrained extractor and recordings to try the commands of extraction on."""

import numpy as np
import pytest
import soundfile
import torch

from zspex_toolkit.config import dump_config
from zspex_toolkit.io.table import write_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor
from zspex_toolkit.train.checkpoint import save_weights

OPTIONS = {"num_filters": 12, "bottleneck": 8, "hidden": 16, "num_blocks": 2, "num_stacks": 2, "embedding_dim": 6}


@pytest.fixture
def extraction(tmp_path):
    """A folder with the experiment ``exp`` and the recordings mix.wav, me.wav and me_again.wav, at 16 kHz."""
    torch.manual_seed(0)
    spec = ExtractorSpec("zspex", OPTIONS, 8000, 3)
    (tmp_path / "exp").mkdir()
    (tmp_path / "exp" / "model.yaml").write_text(dump_config(spec))
    save_weights(build_extractor(spec).state_dict(), tmp_path / "exp" / "best.safetensors")
    rng = np.random.default_rng(0)
    for name, seconds in (("mix", 2.0), ("me", 1.0), ("me_again", 0.5)):
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * rng.normal(size=int(16000 * seconds)), 16000)
    return tmp_path


@pytest.fixture
def trial_dir(extraction):
    """Ten trials beside the experiment, every other one without the enrolled speaker."""
    rng = np.random.default_rng(1)
    wavs, utt2spk, tables = {}, {}, {"enroll_spk1.scp": {}, "utt2condition": {}}
    for index in range(10):
        trial = f"ann-{index}"
        soundfile.write(extraction / f"{trial}.wav", 0.1 * rng.normal(size=4000), 8000)
        wavs[trial], utt2spk[trial] = str(extraction / f"{trial}.wav"), "ann"
        tables["enroll_spk1.scp"][trial] = str(extraction / "ann-0.wav")
        tables["utt2condition"][trial] = "absent" if index % 2 else "present"
    write_data_dir(extraction / "trials_dev", wavs=wavs, utt2spk=utt2spk)
    for name, table in tables.items():
        write_table(extraction / "trials_dev" / name, table)
    return extraction / "trials_dev"
