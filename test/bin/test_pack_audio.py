"""Tests of the command pack_audio."""

from zspex_toolkit.bin.pack_audio import main
from zspex_toolkit.io.table import read_table


def test_every_option_reaches_the_files(voices, tmp_path):
    paths = {"data": voices / "data" / "test", "out": tmp_path / "out", "dump": tmp_path / "dump"}
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    main([*words, "--format", "tar", "--per_shard", "5", "--nj", "2"])
    places = read_table(tmp_path / "out" / "wav.scp").values()
    shards = sorted((tmp_path / "dump").glob("wav.[1-3].*.tar"))
    assert [place.rpartition(":")[0] for place in places] == [
        str(shards[number]) for number in (0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2)
    ]
