"""Roots, files and headers of a corpus on disk."""

import numpy as np
import pytest
import soundfile

from zspex_toolkit.corpora.support.recordings import corpus_root, fault_of, find_files
from zspex_toolkit.errors import ConfigError


def test_the_option_goes_before_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("MC_WSJ_AV", "/corpora/olap")
    assert str(corpus_root("mc_wsj_av", None)) == "/corpora/olap"
    assert corpus_root("mc_wsj_av", tmp_path) == tmp_path


def test_no_root_at_all_names_the_option_and_the_variable(monkeypatch):
    monkeypatch.delenv("TIMIT", raising=False)
    message = "^timit: no corpus folder given; set --corpus_dir or the variable TIMIT$"
    with pytest.raises(ConfigError, match=message):
        corpus_root("timit", None)


def test_files_are_found_in_any_letter_case_and_always_in_the_same_order(tmp_path):
    for name in ("b/1.WAV", "a/2.wav", "a/1.Wav", "a/1.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_files(tmp_path, (".wav",))]
    assert found == ["a/1.Wav", "a/2.wav", "b/1.WAV"]


@pytest.mark.parametrize(
    ("shape", "fs", "fault"),
    [
        ((160,), 16000, ""),
        ((160,), 44100, "44100 Hz instead of 16000 Hz"),
        ((160, 2), 16000, "2 channels instead of 1"),
        ((0,), 16000, "empty audio"),
    ],
)
def test_a_header_that_does_not_fit_says_why(tmp_path, shape, fs, fault):
    soundfile.write(tmp_path / "a.wav", np.zeros(shape), fs)
    assert fault_of(tmp_path / "a.wav", 16000) == (fault, 0 if fault else 160)


def test_missing_and_broken_files_are_told_apart(tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF, or so they say")
    (tmp_path / "nothing.wav").touch()
    assert fault_of(tmp_path / "absent.wav", 16000) == ("missing file", 0)
    assert fault_of(tmp_path / "broken.wav", 16000) == ("unreadable audio", 0)
    assert fault_of(tmp_path / "nothing.wav", 16000) == ("unreadable audio", 0)
