"""The command trains B on embeddings in a folder."""

from zspex_toolkit.bin.train_classifier import main
from zspex_toolkit.tasks.classification import load_classifier


def test_it_learns_the_speakers_of_the_folder(experiment, tmp_path):
    arguments = ["--data", str(experiment / "xvectors"), "--exp_dir", str(tmp_path / "exp"), "--device", "cpu"]
    main([*arguments, "--network_options", "{hidden: 8}", "--train.num_epochs", "1"])
    assert load_classifier(tmp_path / "exp")[0].speakers == ("anna", "bert", "cleo", "dave")
