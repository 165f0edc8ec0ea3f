"""Data directories in memory: tables, segments and the audio behind them."""

import numpy as np
import pytest

from zspex_toolkit.errors import AudioError, DataDirError
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.data_dir import DataDir, read_segments
from zspex_toolkit.io.table import write_table


@pytest.fixture
def cut(data):
    """The directory with bob-1's recording cut into two utterances of 0.1 s to 0.3 s and 0.3 s to its end."""
    (data / "segments").write_text("bob-1a bob-1 0.1 0.3\nbob-1b bob-1 0.3 -1\n")
    (data / "utt2spk").write_text("bob-1a bob\nbob-1b bob\n")
    return DataDir.load(data)


def test_the_tables_are_there_in_the_file_s_order(data):
    loaded = DataDir.load(data)
    assert loaded.utterances == ["ann-1", "ann-2", "bob-1", "bob-2"]
    assert loaded.spk2utt == {"ann": ["ann-1", "ann-2"], "bob": ["bob-1", "bob-2"]}
    assert loaded.utt2spk["bob-2"] == "bob"
    assert loaded.segments is None
    assert loaded.table("spk2gender") == {"ann": "f", "bob": "m"}


def test_an_utterance_is_its_recording(data, noise):
    samples, fs = DataDir.load(data).read_audio("ann-2", fs=16000)
    assert np.array_equal(samples, noise(9600, seed=1))
    assert fs == 16000


@pytest.mark.parametrize("pipe", [False, True])
def test_a_segment_is_its_part_of_the_recording(cut, noise, pipe):
    if pipe:
        cut.wavs["bob-1"] = f"cat {cut.wavs['bob-1']} |"
    assert np.array_equal(cut.read_audio("bob-1a")[0], noise(11200, seed=2)[1600:4800])
    assert np.array_equal(cut.read_audio("bob-1b")[0], noise(11200, seed=2)[4800:])


def test_a_segment_may_end_half_a_second_late_and_no_more(data, noise):
    (data / "segments").write_text("bob-1a bob-1 0.6 1.2\nbob-1b bob-1 0.6 1.3\nbob-1c bob-1 0.7 0.8\n")
    late = DataDir.load(data)
    assert np.array_equal(late.read_audio("bob-1a")[0], noise(11200, seed=2)[9600:])
    with pytest.raises(AudioError, match=r"bob-1b: .*segment 0.6 s to 1.3 s lies outside the recording of 0.700 s"):
        late.read_audio("bob-1b")
    with pytest.raises(AudioError, match=r"segment 0.7 s to 0.8 s lies outside the recording of 0.700 s"):
        late.read_audio("bob-1c")


def test_unfit_audio_names_the_utterance(data):
    with pytest.raises(AudioError, match=r"ann-1: .*ann-1\.wav: expected 8000 Hz, found 16000 Hz"):
        DataDir.load(data).read_audio("ann-1", fs=8000)


def test_an_unknown_utterance_names_the_table(data, cut):
    with pytest.raises(DataDirError, match="segments: no line for 'ann-1'"):
        cut.read_audio("ann-1")
    (data / "segments").unlink()
    with pytest.raises(DataDirError, match=r"wav\.scp: no line for 'zoe-1'"):
        DataDir.load(data).read_audio("zoe-1")


def test_features_are_read_when_asked_for(data):
    with ArchiveWriter(data / "feats.ark", data / "feats.scp") as writer:
        writer["ann-1"] = np.eye(2)
    assert DataDir.load(data).feature_table()["ann-1"].tolist() == [[1, 0], [0, 1]]


def test_a_missing_directory_or_table_is_one_line(tmp_path, data):
    with pytest.raises(DataDirError, match="nope: no such data directory"):
        DataDir.load(tmp_path / "nope")
    (data / "utt2spk").write_text("")
    with pytest.raises(DataDirError, match="utt2spk: empty file"):
        DataDir.load(data)
    (data / "utt2spk").unlink()
    with pytest.raises(DataDirError, match="utt2spk: no such file"):
        DataDir.load(data)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a r 0", ":1: expected '<utt> <reco> <start> <end>', got 'a r 0'"),
        ("a r zero 1", ":1: expected '<utt> <reco> <start> <end>', got 'a r zero 1'"),
        ("a r 2 1", ":1: expected 0 <= start < end in seconds, got 'a r 2 1'"),
        ("a r -1 1", ":1: expected 0 <= start < end in seconds, got 'a r -1 1'"),
    ],
)
def test_a_malformed_segment_is_refused_with_file_and_line(tmp_path, line, message):
    (tmp_path / "segments").write_text(line + "\n")
    with pytest.raises(DataDirError) as error:
        read_segments(tmp_path / "segments")
    assert str(error.value) == f"{tmp_path}/segments{message}"


def test_it_is_the_same_in_memory_that_processes_share(tmp_path):
    (tmp_path / "utt2spk").write_text("a-1 a\na-2 a\nb-1 b\n")
    (tmp_path / "wav.scp").write_text("a-1 one.wav\na-2 x.ark:7\nb-1 sox - |\n")
    plain = DataDir.load(tmp_path)
    compact = plain.compact()
    assert compact == plain and type(compact.wavs) is not dict
    assert list(compact.utterances) == plain.utterances == ["a-1", "a-2", "b-1"]
    (tmp_path / "wav.scp").write_text("b-1 b.wav\na-1 a.wav\na-2 a.wav\n")
    unsorted = DataDir.load(tmp_path)
    assert unsorted.compact() is unsorted


def test_segments_are_the_same_in_memory_that_processes_share(cut):
    compact = cut.compact()
    assert compact == cut and type(compact.segments) is not dict
    for utt in cut.utterances:
        assert np.array_equal(compact.read_audio(utt)[0], cut.read_audio(utt)[0])


@pytest.mark.parametrize("count", ["1_000", "inf", "1e3", "-5", "0", "8000.0"])
def test_a_table_of_counts_names_the_line_that_holds_none(data, count):
    rows = {**DataDir.load(data).table("utt2num_samples"), "ann-2": count}
    write_table(data / "utt2num_samples", rows)
    with pytest.raises(DataDirError, match=r"utt2num_samples:2: expected a .*number.* 'ann-2'"):
        DataDir.load(data).counts("utt2num_samples")


@pytest.mark.parametrize("end", ["inf", "nan", "1e400", "1e300", "1_0", "٣"])
def test_a_segment_ends_at_a_number(tmp_path, end):
    (tmp_path / "segments").write_text(f"u r 0 {end}\n")
    with pytest.raises(DataDirError, match=r"segments:1: expected '<utt> <reco> <start> <end>'"):
        read_segments(tmp_path / "segments")
