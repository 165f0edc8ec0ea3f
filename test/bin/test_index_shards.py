"""Tests of the command index_shards."""

from zspex_toolkit.bin import pack_audio
from zspex_toolkit.bin.index_shards import main


def test_every_option_reaches_the_table(voices, tmp_path):
    paths = {"data": voices / "data" / "test", "out": tmp_path / "out", "dump": tmp_path / "dump"}
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    pack_audio.main([*words, "--format", "tar", "--per_shard", "6"])
    shards = ",".join(map(str, sorted((tmp_path / "dump").glob("wav.[12].*.tar"))))
    main(["--shards", shards, "--out", str(tmp_path / "wav.scp"), "--nj", "2"])
    assert (tmp_path / "wav.scp").read_bytes() == (tmp_path / "out" / "wav.scp").read_bytes()
