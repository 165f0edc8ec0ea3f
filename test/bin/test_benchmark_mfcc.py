from zspex_toolkit.bin.benchmark_mfcc import main


def test_the_command_prints_a_table_of_both_implementations(capsys):
    main(["--seconds", "8", "--num_runs", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| times real time, one thread | kaldi-native-fbank | zspex_toolkit | ratio |"
    assert [line.split(" |")[0] for line in lines[2:4]] == ["| samples to features", "| wav.scp to archive"]
