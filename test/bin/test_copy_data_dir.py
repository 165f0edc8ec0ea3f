"""The command copies a directory under new names."""

from zspex_toolkit.bin.copy_data_dir import main
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.write import write_data_dir


def test_prefixes_are_given_as_options(tmp_path, capsys):
    write_data_dir(tmp_path / "data", wavs={"ann-1": "a.wav"}, utt2spk={"ann-1": "ann"})
    out = tmp_path / "out"
    main(["--data", str(tmp_path / "data"), "--out", str(out), "--utt_prefix", "sp0.9-", "--spk_prefix", "sp0.9-"])
    assert DataDir.load(out).utt2spk == {"sp0.9-ann-1": "sp0.9-ann"}
    assert capsys.readouterr().out == f"copy_data_dir: {out}: 1 utterances\n"
