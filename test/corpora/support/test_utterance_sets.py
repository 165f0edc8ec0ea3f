"""Several data directories of one corpus: one account, all or nothing."""

import pytest

from zspex_toolkit.corpora.support.utterance_sets import UtteranceSets
from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.data_dir import DataDir


@pytest.fixture
def sets():
    sets = UtteranceSets("corpus", 16000, 0.5, ("train", "test"))
    for name in ("train", "test"):
        for spk in ("a", "b"):
            sets[name].add_source(f"{spk}-{name}", spk, f"/x/{spk}-{name}.wav", 800)
    return sets


def test_every_set_is_a_directory_and_they_are_counted_together(sets, tmp_path, capsys):
    sets["test"].account.drop("c-test", "missing file")
    written = sets.write(tmp_path, tmp_path, spk2gender={"a": "f", "b": "m"})
    assert written == [tmp_path / "train", tmp_path / "test"]
    assert DataDir.load(tmp_path / "test").utterances == ["a-test", "b-test"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "corpus: in 5, kept 4, dropped 1 (missing file: 1)"
    assert lines[2] == f"corpus: 2 speakers, 2 utterances in {tmp_path}/test"
    assert (tmp_path / "dropped.txt").read_text() == "c-test missing file\n"


def test_a_table_that_does_not_know_all_speakers_is_left_away(sets, tmp_path):
    sets["test"].add_source("d-test", "d", "/x/d.wav", 800)
    sets.write(tmp_path, tmp_path, spk2gender={"a": "f", "b": "m"})
    assert (tmp_path / "train/spk2gender").exists()
    assert not (tmp_path / "test/spk2gender").exists()


def test_an_empty_set_stops_all(tmp_path):
    sets = UtteranceSets("corpus", 16000, 0.5, ("train", "test"))
    sets["train"].add_source("a-1", "a", "/x/a.wav", 800)
    with pytest.raises(DataDirError, match=f"^corpus: found no recording under {tmp_path}"):
        sets.write(tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()
