"""Tests of the command resample_data_dir."""

import soundfile

from zspex_toolkit.bin.resample_data_dir import main
from zspex_toolkit.io.table import read_table


def test_every_option_reaches_the_files(voices, tmp_path):
    paths = {"data": voices / "data" / "test", "out": tmp_path / "out", "dump": tmp_path / "dump"}
    main([*(word for name, path in paths.items() for word in (f"--{name}", str(path))), "--fs", "4000", "--nj", "2"])
    files = read_table(tmp_path / "out" / "wav.scp").values()
    assert len(files) == 12 and {soundfile.info(path).samplerate for path in files} == {4000}
