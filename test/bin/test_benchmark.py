import pytest

from zspex_toolkit.bin.benchmark import main


@pytest.mark.slow
def test_the_command_measures_a_small_network_in_processes_of_their_own(tmp_path, capsys):
    options = "{num_filters: 4, bottleneck: 4, hidden: 8, num_blocks: 1, num_stacks: 1, embedding_dim: 4}"
    arguments = ["--out", tmp_path, "--extractors", "zspex", "--extractor_options", options, "--seconds", "0.1"]
    main([str(a) for a in [*arguments, "--devices", "cpu", "--modes", "eager", "--num_runs", 1, "--num_rounds", 1]])
    row = capsys.readouterr().out.splitlines()[2].split(" | ")
    assert row[:3] == ["| zspex", "cpu", "eager"]
    assert float(row[3]) > 0  # steps per second
