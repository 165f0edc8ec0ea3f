"""The command averages each speaker's segments."""

from zspex_toolkit.bin.average_embeddings import main
from zspex_toolkit.data.embeddings import read_embeddings


def test_every_speaker_gets_its_vector(experiment, voices, tmp_path):
    arguments = ["--model", str(experiment / "embedder"), "--data", str(voices / "data" / "train"), "--device", "cpu"]
    main([*arguments, "--out", str(tmp_path / "s"), "--num_segments", "3", "--segment_frames", "30"])
    assert read_embeddings(tmp_path / "s" / "spk_xvector.scp")[0] == ["anna", "bert", "cleo", "dave"]
