"""The command as a user types it."""

import subprocess
import sys
from pathlib import Path

import pytest

from zspex_toolkit.bin.compute_vad import main
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.archive import read_scp
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.write import write_data_dir

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


@pytest.mark.slow
def test_a_job_runs_as_a_process_and_its_log_tells_how_much_is_speech(tmp_path):
    data = tmp_path / "train"
    specs = {utt: f"{REFERENCE}/{spec}" for utt, spec in read_table(REFERENCE / "mfcc_demix20.scp").items()}
    write_data_dir(data, wavs=dict.fromkeys(specs, "none.wav"), utt2spk=dict.fromkeys(specs, "spk"))
    write_table(data / "feats.scp", specs)
    argv = [sys.executable, "-m", "zspex_toolkit.bin.compute_vad", "--data", data, "--out", tmp_path / "mfcc"]
    done = subprocess.run([*argv, "--logdir", tmp_path / "log"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    voiced = sum(int(vector.sum()) for vector in read_scp(data / "vad.scp").values())
    assert f"{voiced} of 2156 frames are voiced" in (tmp_path / "log" / "compute_vad_train.1.log").read_text()


def test_a_misspelt_option_is_named(tmp_path):
    with pytest.raises(ConfigError, match="unknown setting --vad_conf; did you mean --vad_config"):
        main(["--data", str(tmp_path), "--out", str(tmp_path), "--vad_conf", "x"])
