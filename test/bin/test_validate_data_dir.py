"""The command: all faults on stderr with file and line, and a true status."""

import subprocess
import sys

import pytest

from zspex_toolkit.io.write import write_data_dir


@pytest.fixture
def data(tmp_path):
    utt2spk = {"ann-1": "ann", "ann-2": "ann", "bob-1": "bob"}
    write_data_dir(tmp_path / "data", wavs={utt: f"{utt}.wav" for utt in utt2spk}, utt2spk=utt2spk)
    return tmp_path / "data"


def run(*options) -> tuple[int, str, list[str]]:
    command = [sys.executable, "-m", "zspex_toolkit.bin.validate_data_dir", *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr.splitlines()


def test_a_valid_directory_ends_with_status_0(data):
    status, out, err = run("--data", data)
    assert (status, out) == (0, f"validate_data_dir: {data} is valid: 3 utterances, 2 speakers\n")
    assert err == [
        f"validate_data_dir: warning: {data}/spk2utt: 1 speaker(s) with a single utterance: bob",
    ]


def test_a_malformed_utt2spk_ends_with_status_1(data):
    (data / "utt2spk").write_text("ann-1 ann\nann-2\nbob-1 bob\n")
    status, out, err = run("--data", data)
    assert (status, out) == (1, "")
    assert f"validate_data_dir: {data}/utt2spk:2: expected '<key> <value>', got 'ann-2'" in err
    assert err[-1] == f"validate_data_dir: {data} is not valid"


def test_missing_audio_is_found_when_asked_for(data):
    status, _, err = run("--data", data, "--check_audio", "true", "--nj", 2, "--require", "wav.scp")
    assert status == 1
    assert f"validate_data_dir: {data}/wav.scp:3: bob-1.wav: no such file or directory" in err


def test_a_missing_directory_is_one_line_and_status_1(tmp_path):
    message = f"validate_data_dir: {tmp_path}/nope: no such data directory"
    assert run("--data", tmp_path / "nope") == (1, "", [message])


def test_a_misspelt_option_is_one_line_and_status_2(data):
    message = "validate_data_dir: unknown setting --check_audios; did you mean --check_audio?"
    assert run("--data", data, "--check_audios", "true") == (2, "", [message])
