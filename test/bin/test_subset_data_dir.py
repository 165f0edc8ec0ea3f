"""The command cuts a directory down and counts."""

from zspex_toolkit.bin.subset_data_dir import main
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.write import write_data_dir


def test_options_reach_the_library_and_the_counts_are_printed(tmp_path, capsys):
    utt2spk = {f"{spk}-{number}": spk for spk in ("ann", "bob") for number in range(3)}
    write_data_dir(tmp_path / "data", wavs={utt: f"{utt}.wav" for utt in utt2spk}, utt2spk=utt2spk)
    out = tmp_path / "out"
    main(["--data", str(tmp_path / "data"), "--out", str(out), "--per_speaker", "2", "--first", "3"])
    assert DataDir.load(out).utterances == ["ann-0", "ann-1", "bob-0"]
    assert capsys.readouterr().out == f"subset_data_dir: {out}: kept 3 utterances out of 6\n"
