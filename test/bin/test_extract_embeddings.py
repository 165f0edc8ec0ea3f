"""The command embeds a data directory."""

from zspex_toolkit.bin.extract_embeddings import main
from zspex_toolkit.data.embeddings import read_embeddings


def test_every_utterance_gets_its_vector(experiment, voices, tmp_path, capsys):
    data = str(voices / "data" / "test")
    main(["--model", str(experiment / "embedder"), "--data", data, "--out", str(tmp_path / "x"), "--device", "cpu"])
    assert read_embeddings(tmp_path / "x" / "xvector.scp")[1].shape == (12, 12)
    assert capsys.readouterr().out == f"{data}: embedded 12 utterances as 12 vectors in {tmp_path}/x\n"
