"""Corpora are joined under ids that do not collide, and nobody is tested who was trained on."""

import re

import numpy as np
import pytest
import soundfile

from zspex_toolkit.config import parse_args
from zspex_toolkit.corpora.support.join import JoinConfig, join_corpora
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.validate import validate_data_dir


def recordings(path, spk2utt, *, fs=8000, **tables):
    """A data directory whose wav.scp has paths relative to itself."""
    (path / "wav").mkdir(parents=True)
    utt2spk = {utt: spk for spk, utts in spk2utt.items() for utt in utts}
    for utt in utt2spk:
        samples = 0.1 * np.random.default_rng(len(utt)).standard_normal(fs)
        soundfile.write(path / "wav" / f"{utt}.wav", samples, fs)
    for name, rows in {"utt2spk": utt2spk, "wav.scp": {utt: f"wav/{utt}.wav" for utt in utt2spk}, **tables}.items():
        write_table(path / name, rows)
    return path


@pytest.fixture
def mine(tmp_path):
    return recordings(
        tmp_path / "mine", {"ann": ["ann-1", "ann-2"], "bob": ["bob-1"]}, spk2gender={"ann": "f", "bob": "m"}
    )


@pytest.fixture
def theirs(tmp_path):
    """Of another ann, at another rate; utterances do not begin with their speaker."""
    return recordings(
        tmp_path / "theirs", {"ann": ["x1"], "zed": ["a2"]}, fs=16000, spk2gender={"ann": "f", "zed": "m"}
    )


def joined(tmp_path, train, test=(), other=(), **options):
    out = tmp_path / "out"
    join_corpora(JoinConfig(tuple(map(str, train)), tuple(map(str, test)), tuple(map(str, other)), out, **options))
    return out


def test_speakers_of_two_corpora_keep_apart_and_all_is_sorted_by_speaker(mine, theirs, tmp_path, capsys):
    out = joined(tmp_path, [mine, theirs])
    assert read_table(out / "all/utt2spk") == {
        "mine-ann-1": "mine-ann",
        "mine-ann-2": "mine-ann",
        "mine-bob-1": "mine-bob",
        "theirs-ann-x1": "theirs-ann",
        "theirs-zed-a2": "theirs-zed",
    }
    assert read_table(out / "all/spk2gender")["theirs-zed"] == "m"
    assert "/out/all: 5 utterances; speakers: 2 of mine, 2 of theirs" in capsys.readouterr().out
    data = DataDir.load(out / "all")
    assert [data.read_audio(utt)[1] for utt in ("mine-bob-1", "theirs-zed-a2")] == [8000, 16000]
    assert not (out / "train").exists()


def test_a_table_that_one_corpus_lacks_is_left_out_and_said(mine, theirs, tmp_path, capsys):
    (theirs / "spk2gender").unlink()
    out = joined(tmp_path, [mine, theirs])
    assert not (out / "all/spk2gender").exists()
    assert f"spk2gender is left out: not in {theirs}" in capsys.readouterr().out


def test_test_data_and_further_sets_are_directories_of_their_own(mine, theirs, tmp_path):
    street = recordings(tmp_path / "anywhere", {"kim": ["kim-1"]})
    out = joined(tmp_path, [f"a={mine}"], [f"b={theirs}"], [f"street={street}"])
    speakers = {path.parent.name: set(read_table(path).values()) for path in out.glob("*/utt2spk")}
    assert speakers == {"train": {"a-ann", "a-bob"}, "test": {"b-ann", "b-zed"}, "street": {"street-kim"}}
    assert not any(validate_data_dir(out / name, check_audio=True) for name in speakers)


def test_a_corpus_of_the_toolkit_is_prepared_and_gives_the_set_that_is_named(fake_tree_of, tmp_path):
    root = fake_tree_of("speechocean762")
    words = [f"speechocean762/{name}={root}" for name in ("train", "test")]
    out = joined(tmp_path, words[:1], words[1:])
    assert [len(DataDir.load(out / name).spk2utt) for name in ("train", "test")] == [5, 3]
    assert set(read_table(out / "test/utt2spk").values()) == {
        f"speechocean762-{spk}" for spk in ("0003", "0049", "0094")
    }
    with pytest.raises(
        ConfigError, match=r"speechocean762/train: no such set; speechocean762 was prepared as all; name"
    ):
        joined(tmp_path, words[:1], options={"speechocean762": {"own_sets": False}})


def test_a_whole_corpus_and_its_own_data_directory_need_no_option(fake_tree_of, tmp_path):
    root = fake_tree_of("speechocean762")  # its tables are tab-separated, with paths relative to the folder around them
    out = joined(tmp_path, [f"so762={root / 'train'}", f"timit={fake_tree_of('timit')}"], [f"so762={root / 'test'}"])
    assert [len(DataDir.load(out / name).spk2utt) for name in ("train", "test")] == [13, 3]


def test_segments_keep_their_recordings(mine, tmp_path):
    tape = tmp_path / "tape"
    tape.mkdir()
    soundfile.write(tape / "tape.wav", np.arange(8000) / 8000, 8000)
    tables = {
        "wav.scp": {"t": "tape.wav"},
        "segments": {"z-1": "t 0 0.25", "z-2": "t 0.5 1"},
        "utt2spk": {"z-1": "z", "z-2": "z"},
    }
    for name, rows in tables.items():
        write_table(tape / name, rows)
    data = DataDir.load(joined(tmp_path, [mine, tape]) / "all")
    assert data.read_audio("tape-z-2")[0][0] == pytest.approx(0.5, abs=1e-4)
    assert data.segments["mine-ann-1"] == ("mine-ann-1", 0, 1)


def test_ids_that_would_become_one_are_refused(mine, tmp_path):
    write_table(mine / "utt2spk", {"1": "ann", "ann-1": "ann"})
    write_table(mine / "wav.scp", {"1": "wav/ann-1.wav", "ann-1": "wav/ann-2.wav"})
    with pytest.raises(DataDirError, match="mine: utterances '1' and 'ann-1' of one speaker: rename one"):
        joined(tmp_path, [mine])


def test_commands_run_where_the_user_stands(mine, tmp_path):
    write_table(mine / "wav.scp", {utt: f"cat mine/wav/{utt}.wav |" for utt in ("ann-1", "ann-2", "bob-1")})
    data = DataDir.load(joined(tmp_path, [mine], start=tmp_path) / "all")
    assert len(data.read_audio("mine-bob-1")[0]) == 8000


def test_relative_paths_are_meant_from_where_the_user_stands_first(mine, tmp_path):
    soundfile.write(tmp_path / "wav.wav", np.full(10, 0.5), 8000)
    write_table(mine / "wav.scp", dict.fromkeys(("ann-1", "ann-2", "bob-1"), "wav.wav"))
    soundfile.write(mine / "wav.wav", np.full(20, 0.5), 8000)
    lengths = [
        len(DataDir.load(joined(tmp_path, [mine], start=start) / "all").read_audio("mine-bob-1")[0])
        for start in (tmp_path, tmp_path / "nowhere")
    ]
    assert lengths == [10, 20]


def test_a_path_that_is_nowhere_is_refused_with_its_line(mine, tmp_path):
    (mine / "wav/ann-2.wav").unlink()
    message = f"mine/wav.scp:2: expected a file, found no 'wav/ann-2.wav' in {mine}; write absolute paths"
    with pytest.raises(DataDirError, match=re.escape(message)):
        joined(tmp_path, [mine])


@pytest.mark.parametrize(
    ("train", "test", "other", "kind", "message"),
    [
        ([], [], [], ConfigError, "train_data: expected a data directory or more to train on, got none"),
        (
            ["nowhere"],
            [],
            [],
            ConfigError,
            "nowhere: expected a data directory (a folder with wav.scp and utt2spk), or",
        ),
        (["timitt={mine}/wav"], [], [], ConfigError, "or one of the corpora libri2mix, "),
        (["{mine}"], ["{theirs}"], [], DataDirError, "theirs has the speaker 'ann' (1 in all) of train_data "),
        (["a={mine}"], ["a={theirs}"], [], DataDirError, "test_data: a="),
        (["{mine}"], [], ["x={theirs}"], DataDirError, "other_sets: x="),
        (["a={mine}"], ["b={mine}"], [], DataDirError, "/mine/wav/ann-1.wav; test on others"),
        (["{mine}", "{theirs}/../mine"], [], [], ConfigError, "would both be called 'mine'; give them names: NAME=DIR"),
        (
            ["{mine}"],
            [],
            ["{theirs}"],
            ConfigError,
            "other_sets: expected NAME=DIR, NAME of letters, digits and _, got ",
        ),
        (["a={mine}"], [], ["test={theirs}"], ConfigError, "other_sets: 'test' is taken; give the set of test="),
        (["a={mine}"], [], ["x={theirs}", "x={mine}"], ConfigError, "other_sets: 'x' is taken"),
    ],
)
def test_what_cannot_be_joined_is_one_line_and_writes_nothing(
    mine, theirs, tmp_path, train, test, other, kind, message
):
    words = [[word.format(mine=mine, theirs=theirs) for word in words] for words in (train, test, other)]
    with pytest.raises(kind, match=re.escape(message)) as raised:
        joined(tmp_path, *words)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("table", "rows", "message"),
    [
        ("wav.scp", {"ann-1": "wav/ann-1.wav"}, "mine/wav.scp: no line for 'ann-2'; fix_data_dir keeps"),
        ("utt2spk", {"ann-1": "ann", "ann-2": "ann"}, "mine/utt2spk: no line for 'bob-1'; fix_data_dir keeps"),
        (
            "segments",
            {"ann-1": "t 0 1", "ann-2": "t 1 2", "bob-1": "t 2 3"},
            "no line for 't', the recording of 'ann-1'",
        ),
        ("utt2condition", {"ann-1": "present"}, "mine: expected recordings of single speakers, found trials"),
    ],
)
def test_a_directory_with_gaps_is_refused(mine, tmp_path, table, rows, message):
    write_table(mine / table, rows)
    with pytest.raises(DataDirError, match=re.escape(message)):
        joined(tmp_path, [mine])


def test_options_of_corpora_are_read_from_the_command_line():
    words = ["--train_data", "a,b=c", "--options", "{mini: {num_speakers: 4}, timit: {keep_sa: true}}"]
    config = parse_args(JoinConfig, words)
    assert config.train_data == ("a", "b=c")
    assert config.options == {"mini": {"num_speakers": 4}, "timit": {"keep_sa": True}}
