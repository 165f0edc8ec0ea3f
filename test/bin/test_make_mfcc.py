"""The command as a user types it: jobs, their logs, its output and its status."""

import subprocess
import sys
from pathlib import Path

import pytest

from zspex_toolkit.bin.make_mfcc import main
from zspex_toolkit.config import run
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.write import write_data_dir

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


@pytest.fixture
def data(tmp_path):
    wavs = {utt: str(REFERENCE / path) for utt, path in list(read_table(REFERENCE / "wav.scp").items())[:2]}
    write_data_dir(tmp_path / "train", wavs=wavs, utt2spk=dict.fromkeys(wavs, "spk"))
    return tmp_path / "train"


@pytest.mark.slow
def test_two_jobs_run_as_processes_with_a_log_each(data, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "zspex_toolkit.bin.make_mfcc", "--data", data, "--out", tmp_path / "mfcc", "--nj", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"make_mfcc: {data}: 2 utterances in, 2 kept, 0 dropped\n"
    for job in (1, 2):
        assert "1 of 1 utterances\n" in (data / "log" / f"make_mfcc_train.{job}.log").read_text()
    assert len(read_table(data / "feats.scp")) == 2


def status(monkeypatch, capsys, *argv):
    monkeypatch.setattr(sys, "argv", ["make_mfcc", *map(str, argv)])
    with pytest.raises(SystemExit) as end:
        run(main)
    return end.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["--data", "none"], 1, "make_mfcc: none: no such data directory\n"),
        (["--data", "none", "--njj", "2"], 2, "make_mfcc: unknown setting --njj; did you mean --nj?\n"),
        (["--data", "none", "--mfcc_config", "no.conf"], 2, "make_mfcc: no.conf: cannot read the option file: no such"),
    ],
)
def test_a_users_mistake_is_one_line_and_a_status(tmp_path, monkeypatch, capsys, argv, code, message):
    monkeypatch.chdir(tmp_path)
    found, error = status(monkeypatch, capsys, *argv, "--out", "mfcc")
    assert (found, error[: len(message)], error.count("\n")) == (code, message, 1)
