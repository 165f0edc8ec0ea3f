"""The commands on data directories: options reach the library, and what was done is printed."""

import subprocess
import sys

import pytest
import soundfile

from zspex_toolkit.bin import fix_data_dir, index_shards, pack_audio, resample_data_dir, validate_data_dir
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import validate_data_dir as faults_of
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.registry import load_module


@pytest.fixture
def data(tmp_path):
    """Of ann and bob without audio; ``other`` beside it is of cid, with words."""
    utt2spk = {"ann-1": "ann", "ann-2": "ann", "bob-1": "bob"}
    write_data_dir(tmp_path / "data", wavs={utt: f"{utt}.wav" for utt in utt2spk}, utt2spk=utt2spk)
    write_data_dir(tmp_path / "other", wavs={"cid-1": "c.wav"}, utt2spk={"cid-1": "cid"}, text={"cid-1": "c"})
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("command", "utterances", "printed"),
    [
        (
            "combine_data_dirs --data data,other --out out",
            {"out": ["ann-1", "ann-2", "bob-1", "cid-1"]},
            ["text is left out: not in data", "out: 4 utterances of 2 directories"],
        ),
        (
            "copy_data_dir --data data --out out --utt_prefix sp0.9- --spk_prefix sp0.9-",
            {"out": ["sp0.9-ann-1", "sp0.9-ann-2", "sp0.9-bob-1"]},
            ["out: 3 utterances"],
        ),
        (
            "split_data_dir --data data --nj 2",
            {"data/split2/1": ["ann-1", "ann-2"], "data/split2/2": ["bob-1"]},
            ["data/split2/1 to data/split2/2"],
        ),
        (
            "split_data_dir --data data --nj 3 --per_utterance true",
            {"data/split3utt/2": ["ann-2"]},
            ["data/split3utt/1 to data/split3utt/3"],
        ),
        (
            "subset_data_dir --data data --out out --per_speaker 1 --first 1",
            {"out": ["ann-1"]},
            ["out: kept 1 utterances out of 3"],
        ),
    ],
)
def test_directories_are_made_and_counted(data, monkeypatch, capsys, command, utterances, printed):
    monkeypatch.chdir(data.parent)
    name, *arguments = command.split()
    load_module("bin", name).main(arguments)
    assert {path: DataDir.load(path).utterances for path in utterances} == utterances
    assert capsys.readouterr().out.splitlines() == [f"{name}: {line}" for line in printed]


def test_what_fixing_kept_and_dropped_is_printed(data, capsys):
    (data / "text").write_text("bob-1 b\nann-1 a\n")
    (data / "utt2topic").write_text("ann-1 x\nann-2 x\n")
    fix_data_dir.main(["--data", str(data), "--utt_extra_files", "utt2topic"])
    assert capsys.readouterr().out.splitlines() == [
        f"fix_data_dir: {data}: kept 1 utterances out of 3; rewrote spk2utt, text, utt2spk, utt2topic, wav.scp",
        f"fix_data_dir: {data}: dropped 1: not in text",
        f"fix_data_dir: {data}: dropped 1: not in utt2topic",
        f"fix_data_dir: {data}: old files are kept in {data}/.backup",
    ]
    assert faults_of(data) == []


def test_a_valid_directory_ends_with_status_0(data, capsys):
    assert validate_data_dir.main(["--data", str(data)]) == 0
    out, err = capsys.readouterr()
    assert out == f"validate_data_dir: {data} is valid: 3 utterances, 2 speakers\n"
    assert err == f"validate_data_dir: warning: {data}/spk2utt: 1 speaker(s) with a single utterance: bob\n"


def test_a_malformed_table_ends_with_status_1(data):
    (data / "utt2spk").write_text("ann-1 ann\nann-2\nbob-1 bob\n")
    command = [sys.executable, "-m", "zspex_toolkit.bin.validate_data_dir", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"validate_data_dir: {data}/utt2spk:2: expected '<key> <value>', got 'ann-2'" in done.stderr.splitlines()
    assert done.stderr.splitlines()[-1] == f"validate_data_dir: {data} is not valid"


def test_missing_audio_is_found_when_asked_for(data, capsys):
    options = ["--check_audio", "true", "--nj", "2", "--require", "wav.scp"]
    assert validate_data_dir.main(["--data", str(data), *options]) == 1
    assert f"validate_data_dir: {data}/wav.scp:3: bob-1.wav: no such file or directory\n" in capsys.readouterr().err


@pytest.fixture
def paths(voices, tmp_path):
    """``--data`` with twelve recordings, and ``--out`` and ``--dump``."""
    found = {"data": voices / "data" / "test", "out": tmp_path / "out", "dump": tmp_path / "dump"}
    return [word for name, path in found.items() for word in (f"--{name}", str(path))]


def test_packed_audio_lies_in_the_shards_asked_for_and_is_indexed_again(paths, tmp_path):
    pack_audio.main([*paths, "--format", "tar", "--per_shard", "5", "--nj", "2"])
    places = read_table(tmp_path / "out" / "wav.scp").values()
    shards = list(map(str, sorted((tmp_path / "dump").glob("wav.[1-3].*.tar"))))
    numbers = (0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2)
    assert [place.rpartition(":")[0] for place in places] == [shards[number] for number in numbers]
    index_shards.main(["--shards", ",".join(shards), "--out", str(tmp_path / "wav.scp"), "--nj", "2"])
    assert (tmp_path / "wav.scp").read_bytes() == (tmp_path / "out" / "wav.scp").read_bytes()


def test_resampled_audio_has_the_rate_asked_for(paths, tmp_path):
    resample_data_dir.main([*paths, "--fs", "4000", "--nj", "2"])
    files = read_table(tmp_path / "out" / "wav.scp").values()
    assert len(files) == 12 and {soundfile.info(path).samplerate for path in files} == {4000}
