"""The classifier learns the training speakers from their embeddings."""

import pytest

from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.tasks.classification import ClassifierSpec, build_classifier, load_classifier
from zspex_toolkit.train.history import read_history


def test_it_knows_the_training_speakers_in_the_order_of_the_clean_embeddings(experiment):
    spec, classifier = load_classifier(experiment / "classifier")
    speakers, clean = read_embeddings(experiment / "clean" / "spk_xvector.scp")
    assert list(spec.speakers) == speakers == ["anna", "bert", "cleo", "dave"]
    assert classifier(clean).argmax(1).tolist() == [0, 1, 2, 3]


def test_training_raises_the_accuracy(experiment):
    epochs = [epoch["train"]["accuracy"] for epoch in read_history(experiment / "classifier")]
    assert epochs[-1] > max(epochs[0], 0.5)


def test_an_unknown_option_is_named():
    with pytest.raises(ConfigError, match=r"network_options: unknown setting hiden; did you mean hidden\?"):
        build_classifier(ClassifierSpec("mlp", {"hiden": 3}, 4, ("a", "b")))
