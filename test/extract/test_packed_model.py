"""A packed model extracts as its experiment does, is as small as promised, and one that is broken is refused."""

import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from support.tiny_model import write_model

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.extract.packed_model import Config, load_model, pack_model, packed, unpacked
from zspex_toolkit.tasks.experiment import read_weights


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("exp") / "spex_plus", presence=PRESENCE)


PRESENCE = {"bias": 1.0, "energy_db": 0.25, "cosine": 4.0, "usual_gain": 2.0, "quietest_db": -60.0, "loudest_db": 0.0}


def outputs(model):
    _, network = load_model(model)
    rng = np.random.default_rng(0)
    mixture, enrollment = (torch.from_numpy(rng.normal(size=(1, 4000)).astype(np.float32)) for _ in range(2))
    return network.extract(mixture, network.clue(enrollment))


@pytest.mark.parametrize(("storage", "snr_db"), [("float32", 140), ("float16", 50), ("int8", 25)])
def test_a_packed_model_gives_what_its_experiment_gives(experiment, tmp_path, storage, snr_db):
    pack_model(Config(experiment, tmp_path / "packed", storage=storage))
    expected, got = outputs(experiment), outputs(tmp_path / "packed")
    assert 10 * torch.log10(expected.square().sum() / ((got - expected).square().sum() + 1e-30)) > snr_db
    assert load_model(tmp_path / "packed")[0] == load_model(experiment)[0]
    assert load_model(experiment)[0].presence == PRESENCE


def test_eight_bits_are_off_by_half_a_step_of_the_row_at_most():
    matrix = torch.randn(5, 3, 7) * torch.logspace(-3, 3, 5)[:, None, None]
    back = unpacked(packed({"m": matrix, "bias": torch.randn(5)}, "int8"))
    step = matrix.abs().amax((1, 2)) / 127
    assert ((back["m"] - matrix).abs().amax((1, 2)) <= 0.5001 * step).all()


def test_counts_and_vectors_keep_their_precision_in_eight_bits():
    state = {"bias": torch.randn(4), "num_batches_tracked": torch.tensor(2**40)}
    assert all(torch.equal(unpacked(packed(state, "int8"))[name], value) for name, value in state.items())


def test_a_row_of_zeros_stays_zero():
    assert not unpacked(packed({"m": torch.zeros(2, 3)}, "int8"))["m"].any()


def test_notes_lie_beside_the_model_and_only_what_inference_needs(experiment, tmp_path, capsys):
    (tmp_path / "README.md").write_text("trained by ...\n")
    pack_model(Config(experiment, tmp_path / "packed", notes=(tmp_path / "README.md",)))
    names = sorted(path.name for path in (tmp_path / "packed").iterdir())
    assert names == ["README.md", "model.safetensors", "model.yaml"]
    assert capsys.readouterr().out == f"{tmp_path}/packed: spex_plus at 8000 Hz, 0.0 MB as float16\n"


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"storage": "int4"}, ConfigError, "storage: expected one of float32, float16, int8, got 'int4'"),
        ({"max_mb": 0.001}, UserError, r"0\.0 MB as float16, more than max_mb 0\.001; take storage int8"),
        ({"max_mb": 0.001, "storage": "int8"}, UserError, "; train a smaller network"),
    ],
)
def test_what_cannot_be_packed_writes_nothing(experiment, tmp_path, options, kind, message):
    with pytest.raises(kind, match=message):
        pack_model(Config(experiment, tmp_path / "packed", **options))
    assert not (tmp_path / "packed").exists()


def test_a_missing_note_is_named_before_anything_is_written(experiment, tmp_path):
    with pytest.raises(UserError, match=r"scores\.json: no such file to lay beside the model"):
        pack_model(Config(experiment, tmp_path / "packed", notes=(tmp_path / "scores.json",)))
    assert not (tmp_path / "packed").exists()


@pytest.mark.parametrize("weights", ["best", "last", "model"])
def test_weights_cut_short_are_refused(tmp_path, weights):
    model = write_model(tmp_path / "m", weights=weights)
    path = model / f"{weights}.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=rf"{weights}\.safetensors: cut short or no safetensors file"):
        load_model(model)


class Bomb:
    """Would write a file if it were unpickled."""

    def __reduce__(self):
        return (open, ("/tmp/zspex_bomb", "w"))


@pytest.mark.parametrize(
    "write", [lambda path: path.write_bytes(pickle.dumps(Bomb())), lambda path: torch.save(1, path)]
)
@pytest.mark.parametrize("weights", ["best", "model"])
def test_a_pickle_is_refused_unopened(tmp_path, weights, write):
    model = write_model(tmp_path / "m", weights=weights)
    write(model / f"{weights}.safetensors")
    with pytest.raises(UserError, match=rf"{weights}\.safetensors: is a pickle, which could run code: refused"):
        load_model(model)


def test_weights_of_another_network_are_refused(tmp_path):
    model = write_model(tmp_path / "m", weights="model")
    weights = read_weights(model / "model.safetensors")
    del weights["speaker_classifier.bias"]
    save_file(weights, model / "model.safetensors")
    with pytest.raises(UserError, match=r"weights of another network than model\.yaml describes: .* Missing key"):
        load_model(model)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format_version: 1", "format_version: 7", "expected format_version 1, found 7; use the toolkit that wrote it"),
        ("fs: 8000", "fs: 8000\nsample_width: 2", "unknown setting sample_width"),
        (
            "extractor: spex_plus",
            "extractor: spex_minus",
            "unknown name 'spex_minus' in models.extractors; did you mean",
        ),
        ("extractor: spex_plus", "embedder: a", "not the model of an extractor"),
        ("fs: 8000", "fs: [", "not a YAML file"),
    ],
)
@pytest.mark.parametrize("weights", ["best", "model"])
def test_a_description_of_another_version_is_refused(tmp_path, weights, old, new, message):
    model = write_model(tmp_path / "m", weights=weights)
    text = (model / "model.yaml").read_text()
    assert old in text
    (model / "model.yaml").write_text(text.replace(old, new))
    with pytest.raises(UserError, match=message):
        load_model(model)


def test_a_folder_that_is_no_model_is_named(tmp_path):
    with pytest.raises(UserError, match=r"model\.yaml: no such file; expected the folder of a trained extractor"):
        load_model(tmp_path)
