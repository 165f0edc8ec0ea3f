"""The commands of features and embeddings as a user types them: jobs, their logs, output and status."""

import subprocess
import sys
from pathlib import Path

import pytest

from zspex_toolkit.bin import average_embeddings, benchmark_mfcc, extract_embeddings, make_mfcc
from zspex_toolkit.config import run
from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.io.archive import read_scp
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.write import write_data_dir

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


@pytest.mark.slow
def test_two_jobs_run_as_processes_with_a_log_each(tmp_path):
    wavs = {utt: str(REFERENCE / path) for utt, path in list(read_table(REFERENCE / "wav.scp").items())[:2]}
    data, logs = tmp_path / "train", tmp_path / "train" / "log"
    write_data_dir(data, wavs=wavs, utt2spk=dict.fromkeys(wavs, "spk"))
    for command in ("make_mfcc", "compute_vad"):
        argv = [sys.executable, "-m", f"zspex_toolkit.bin.{command}", "--data", data, "--out", tmp_path, "--nj", "2"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{command}: {data}: 2 utterances in, 2 kept, 0 dropped\n"
        for job in (1, 2):
            assert "1 of 1 utterances\n" in (logs / f"{command}_train.{job}.log").read_text()
    for job, voiced in enumerate(read_scp(data / "vad.scp").values(), start=1):
        told = f"{int(voiced.sum())} of {len(voiced)} frames are voiced"
        assert told in (logs / f"compute_vad_train.{job}.log").read_text()


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
    monkeypatch.setattr(sys, "argv", ["make_mfcc", *argv, "--out", "mfcc"])
    with pytest.raises(SystemExit) as end:
        run(make_mfcc.main)
    error = capsys.readouterr().err
    assert (end.value.code, error[: len(message)], error.count("\n")) == (code, message, 1)


def test_the_benchmark_prints_a_table_of_both_implementations(capsys):
    benchmark_mfcc.main(["--seconds", "8", "--num_runs", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| times real time, one thread | kaldi-native-fbank | zspex_toolkit | ratio |"
    assert [line.split(" |")[0] for line in lines[2:4]] == ["| samples to features", "| wav.scp to archive"]


def test_every_utterance_and_every_speaker_gets_its_vector(experiment, voices, tmp_path, capsys):
    data, out = voices / "data" / "test", tmp_path / "x"
    argv = ["--model", str(experiment / "embedder"), "--data", str(data), "--device", "cpu", "--out", str(out)]
    extract_embeddings.main(argv)
    assert read_embeddings(out / "xvector.scp")[1].shape == (12, 12)
    assert capsys.readouterr().out == f"{data}: embedded 12 utterances as 12 vectors in {out}\n"
    average_embeddings.main([*argv, "--num_segments", "3", "--segment_frames", "30"])
    assert read_embeddings(out / "spk_xvector.scp")[0] == ["anna", "bert", "cleo", "dave"]
