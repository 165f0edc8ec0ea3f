"""The command says what it kept and dropped; a refusal is one line, status 1, and changes nothing."""

import subprocess
import sys

import pytest

from zspex_toolkit.bin.fix_data_dir import main
from zspex_toolkit.io.validate import validate_data_dir
from zspex_toolkit.io.write import write_data_dir


@pytest.fixture
def data(tmp_path):
    utt2spk = {"ann-1": "ann", "ann-2": "ann", "bob-1": "bob"}
    write_data_dir(tmp_path / "data", wavs={utt: f"{utt}.wav" for utt in utt2spk}, utt2spk=utt2spk)
    return tmp_path / "data"


def test_what_was_kept_and_dropped_is_printed(data, capsys):
    (data / "text").write_text("bob-1 b\nann-1 a\n")
    (data / "utt2topic").write_text("ann-1 x\nann-2 x\n")
    main(["--data", str(data), "--utt_extra_files", "utt2topic"])
    assert capsys.readouterr().out.splitlines() == [
        f"fix_data_dir: {data}: kept 1 utterances out of 3; rewrote spk2utt, text, utt2spk, utt2topic, wav.scp",
        f"fix_data_dir: {data}: dropped 1: not in text",
        f"fix_data_dir: {data}: dropped 1: not in utt2topic",
        f"fix_data_dir: {data}: old files are kept in {data}/.backup",
    ]
    assert validate_data_dir(data) == []


def test_no_utterance_left_is_one_line_and_status_1(data):
    (data / "text").write_text("zoe-1 x\n")
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    command = [sys.executable, "-m", "zspex_toolkit.bin.fix_data_dir", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    reason = "no utterances remained, nothing was changed; first dropped: ann-1 not in text"
    assert done.stderr == f"fix_data_dir: {data}: {reason}\n"
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before
