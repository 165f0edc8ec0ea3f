"""The command joins directories and names the tables it left out."""

from zspex_toolkit.bin.combine_data_dirs import main
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.write import write_data_dir


def test_directories_are_given_with_commas(tmp_path, capsys):
    one, two, out = tmp_path / "one", tmp_path / "two", tmp_path / "out"
    write_data_dir(one, wavs={"ann-1": "a.wav"}, utt2spk={"ann-1": "ann"}, text={"ann-1": "a"})
    write_data_dir(two, wavs={"bob-1": "b.wav"}, utt2spk={"bob-1": "bob"})
    main(["--data", f"{one},{two}", "--out", str(out)])
    assert DataDir.load(out).utterances == ["ann-1", "bob-1"]
    assert capsys.readouterr().out.splitlines() == [
        f"combine_data_dirs: text is left out: not in {two}",
        f"combine_data_dirs: {out}: 2 utterances of 2 directories",
    ]
