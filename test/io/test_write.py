"""Writing a whole directory at once."""

import pytest

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.write import write_data_dir


def test_every_table_is_sorted_and_spk2utt_is_derived(tmp_path):
    write_data_dir(
        tmp_path / "out",
        wavs={"tape-2": "b.wav", "tape-1": "a.wav"},
        utt2spk={"bob-1": "bob", "ann-2": "ann", "ann-1": "ann"},
        segments={"bob-1": ("tape-1", 0, 1.25), "ann-1": ("tape-2", 0.1, 7), "ann-2": ("tape-2", 10_000.0625, 10_001)},
        text={"bob-1": "x", "ann-1": "", "ann-2": "y z"},
        spk2gender={"bob": "m", "ann": "f"},
        tables={"utt2dur": {"bob-1": 1.25, "ann-1": 6.9, "ann-2": 0.9375}},
    )
    files = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert files == {
        "wav.scp": "tape-1 a.wav\ntape-2 b.wav\n",
        "utt2spk": "ann-1 ann\nann-2 ann\nbob-1 bob\n",
        "spk2utt": "ann ann-1 ann-2\nbob bob-1\n",
        "segments": "ann-1 tape-2 0.1 7\nann-2 tape-2 10000.0625 10001\nbob-1 tape-1 0 1.25\n",
        "text": "ann-1\nann-2 y z\nbob-1 x\n",
        "spk2gender": "ann f\nbob m\n",
        "utt2dur": "ann-1 6.9\nann-2 0.9375\nbob-1 1.25\n",
    }
    assert DataDir.load(tmp_path / "out").segments["ann-2"] == ("tape-2", 10_000.0625, 10_001)


def test_without_utterances_nothing_is_written(tmp_path):
    with pytest.raises(DataDirError, match="out: no utterances to write"):
        write_data_dir(tmp_path / "out", wavs={}, utt2spk={})
    assert not (tmp_path / "out").exists()


def test_tables_that_do_not_fit_together_are_refused(tmp_path):
    with pytest.raises(DataDirError, match=r"out/wav\.scp: no line for 'a-1' \(utt2spk:1\); nothing was written"):
        write_data_dir(tmp_path / "out", wavs={"b-1": "b.wav"}, utt2spk={"a-1": "a", "b-1": "b"})
    assert list(tmp_path.iterdir()) == []
