"""The command splits a directory and says where the parts are."""

from zspex_toolkit.bin.split_data_dir import main
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.write import write_data_dir


def test_parts_are_made_by_speaker_or_by_utterance(tmp_path, capsys):
    data = tmp_path / "data"
    utt2spk = {f"{spk}-{number}": spk for spk in ("ann", "bob") for number in range(2)}
    write_data_dir(data, wavs={utt: f"{utt}.wav" for utt in utt2spk}, utt2spk=utt2spk)
    main(["--data", str(data), "--nj", "2"])
    main(["--data", str(data), "--nj", "4", "--per_utterance", "true"])
    assert DataDir.load(data / "split2" / "2").utterances == ["bob-0", "bob-1"]
    assert DataDir.load(data / "split4utt" / "4").utterances == ["bob-1"]
    assert capsys.readouterr().out.splitlines() == [
        f"split_data_dir: {data}/split2/1 to {data}/split2/2",
        f"split_data_dir: {data}/split4utt/1 to {data}/split4utt/4",
    ]
