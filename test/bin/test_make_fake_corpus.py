"""A fake corpus is laid out where nothing was."""

import pytest

from zspex_toolkit.bin.make_fake_corpus import main
from zspex_toolkit.errors import ConfigError


def test_the_tree_has_the_original_s_layout(tmp_path, capsys):
    main(["--corpus", "timit", "--out", str(tmp_path / "fake")])
    assert (tmp_path / "fake/TRAIN/DR1/FCJF0/SA1.WAV").is_file()
    assert (tmp_path / "fake/test/dr1/fadg0/sa1.txt").is_file()
    assert capsys.readouterr().out == f"timit: 160 files in {tmp_path / 'fake'}\n"


def test_the_output_must_be_given():
    with pytest.raises(ConfigError, match="out"):
        main(["--corpus", "timit"])
