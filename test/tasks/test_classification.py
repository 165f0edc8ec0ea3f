"""The classifier learns the training speakers from their embeddings."""

import json

import pytest

from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.tasks.classification import ClassifierSpec, build_classifier, load_classifier


def test_it_knows_the_training_speakers_in_the_order_of_the_clean_embeddings(experiment):
    spec, classifier = load_classifier(experiment / "classifier")
    speakers, clean = read_embeddings(experiment / "clean" / "spk_xvector.scp")
    assert list(spec.speakers) == speakers == ["anna", "bert", "cleo", "dave"]
    assert classifier(clean).argmax(1).tolist() == [0, 1, 2, 3]


def test_training_raises_the_accuracy(experiment):
    lines = (experiment / "classifier" / "history.jsonl").read_text().splitlines()
    epochs = [json.loads(line)["train"]["accuracy"] for line in lines]
    assert epochs[-1] > max(epochs[0], 0.5)


def test_an_unknown_option_is_named():
    with pytest.raises(ConfigError, match=r"network_options: unknown setting hiden; did you mean hidden\?"):
        build_classifier(ClassifierSpec("mlp", {"hiden": 3}, 4, ("a", "b")))
