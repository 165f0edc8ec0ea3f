"""An extractor is trained, goes on as if nothing had happened, and is loaded from its folder alone or refused."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
import safetensors.torch
import torch

from zspex_toolkit.data.drawn_trials import DrawConfig
from zspex_toolkit.errors import ConfigError, DataDirError, UserError
from zspex_toolkit.extract.clue_sources import read_clue
from zspex_toolkit.extract.embeddings import ExtractConfig, extract_embeddings
from zspex_toolkit.extract.enroll import Config as EnrollConfig
from zspex_toolkit.extract.enroll import enroll
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.trials import Config as TrialsConfig
from zspex_toolkit.extract.trials import extract_trials
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.table import read_table
from zspex_toolkit.prepare.plan_trials import Config as PlanConfig
from zspex_toolkit.prepare.plan_trials import plan_trial_dir
from zspex_toolkit.prepare.render_trials import Config as RenderConfig
from zspex_toolkit.prepare.render_trials import render_trial_dir
from zspex_toolkit.tasks import extraction_loss
from zspex_toolkit.tasks.extraction import Config, ExtractorSpec, build_extractor, load_extractor, train_extractor
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.history import read_history

SMALL = {
    **{"num_filters": 8, "kernel_sizes": [32, 64, 128], "stride": 16, "bottleneck": 8, "hidden": 8},
    **{"num_blocks": 2, "num_stacks": 1, "embedding_dim": 8, "speaker_hidden": 8},
}


@pytest.fixture(scope="module")
def trials(voices):
    """Five trials of all conditions of the voices' test utterances."""
    folder = voices / "data" / "trials_test"
    plan_trial_dir(
        PlanConfig(voices / "data" / "test", folder, speakers=1, per_speaker=5, absent_share=0.3, single_share=0.3)
    )
    render_trial_dir(RenderConfig(folder, voices / "data" / "test", voices / "dump" / "trials_test"))
    return folder


def config_for(voices, exp_dir, **changes) -> Config:
    draw = DrawConfig(
        source_data=voices / "data" / "train",
        **{"segment_seconds": 0.5, "enrollment_seconds": (0.3, 0.5), "speeds": (0.9, 1.0), "speed_as_speaker": True},
        **{"absent_probability": 0.1, "single_probability": 0.1},
    )
    train = {"num_epochs": 2, "batch_size": 8, "checkpoint_steps": 1, **changes.pop("train", {})}
    return Config(
        exp_dir,
        **{"extractor": "spex_plus", "extractor_options": SMALL, "fs": 16000, "draw": draw, "device": "cpu", **changes},
        train=TrainConfig(**train),
    )


def weights_of(exp_dir, name="last"):
    return safetensors.torch.load_file(exp_dir / f"{name}.safetensors")


@pytest.fixture(scope="module")
def trained(voices, trials, tmp_path_factory):
    exp_dir = tmp_path_factory.mktemp("exp") / "spex_plus"
    return train_extractor(config_for(voices, exp_dir, valid_data=trials, valid_seconds=1.0))


def test_the_curves_tell_ratio_improvement_accuracy_and_what_is_left(trained):
    for line in read_history(trained):
        for part in ("train", "valid"):
            terms = {"loss_si_sdr", "loss_absent_energy", "loss_cross_entropy"}
            assert {"loss", "si_sdr", "si_sdri", "speaker_accuracy", "energy_left"} | terms == set(line[part])
            weighed = zip((1.0, 1.0, 0.5), ("si_sdr", "absent_energy", "cross_entropy"), strict=True)
            assert line[part]["loss"] == pytest.approx(sum(w * line[part][f"loss_{name}"] for w, name in weighed), 1e-4)
            assert all(np.isfinite(value) for value in line[part].values())


def test_mixtures_of_three_speakers_are_learnt_from(voices, tmp_path):
    config = config_for(voices, tmp_path / "exp", train={"num_epochs": 1})
    draw = dataclasses.replace(config.draw, num_speakers=3)
    (line,) = read_history(train_extractor(dataclasses.replace(config, draw=draw)))
    assert np.isfinite(line["train"]["loss"]) and line["train"]["si_sdr"] < 0  # the others are louder than any one


def test_the_folder_has_all_that_building_it_again_needs(trained):
    spec, extractor = load_extractor(trained)
    assert (spec.extractor, spec.fs, spec.num_speakers, spec.format_version) == ("spex_plus", 16000, 8, 1)
    assert not extractor.training and not any(p.requires_grad for p in extractor.parameters())
    best = weights_of(trained, "best")
    assert all(torch.equal(value, best[name]) for name, value in extractor.state_dict().items())
    (trained / "best.safetensors").rename(trained / "other")
    last = weights_of(trained)
    assert all(torch.equal(value, last[name]) for name, value in load_extractor(trained)[1].state_dict().items())
    (trained / "other").rename(trained / "best.safetensors")


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_training_cut_off_in_an_epoch_ends_with_the_same_weights(voices, trials, tmp_path, trained, num_workers):
    config = config_for(
        voices, tmp_path / "exp", valid_data=trials, valid_seconds=1.0, train={"num_workers": num_workers}
    )
    steps = []

    def interrupted(*args):
        steps.append(args)
        if len(steps) == 5:
            raise ZeroDivisionError
        return real(*args)

    real = extraction_loss.ExtractionLoss.__call__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extraction_loss.ExtractionLoss, "__call__", interrupted)
        with pytest.raises(ZeroDivisionError):
            train_extractor(config)
    assert list((tmp_path / "exp" / "checkpoints").glob("*-step-*.pt"))
    train_extractor(config)
    expected, found = weights_of(trained), weights_of(tmp_path / "exp")
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    curves = [[(line["train"], line["valid"]) for line in read_history(path)] for path in (trained, tmp_path / "exp")]
    assert curves[0] == curves[1]


def test_starting_a_finished_training_again_leaves_its_presence_score(voices, tmp_path):
    config = config_for(voices, tmp_path / "exp", train={"num_epochs": 1})
    train_extractor(config)
    model = tmp_path / "exp" / "model.yaml"
    calibrated = model.read_text().replace("presence: null", "presence: {bias: 0.5}")
    model.write_text(calibrated)
    train_extractor(config)
    assert load_extractor(tmp_path / "exp")[0].presence == {"bias": 0.5}
    train_extractor(config_for(voices, tmp_path / "exp", train={"num_epochs": 2}))  # other weights
    assert load_extractor(tmp_path / "exp")[0].presence is None


def test_other_settings_do_not_go_on_with_it(voices, trained):
    with pytest.raises(ConfigError, match=r"begun with other settings: .*extractor spex_plus -> zspex"):
        train_extractor(config_for(voices, trained, extractor="zspex", train={"num_epochs": 3}))


def test_a_dry_run_leaves_nothing(voices, trials, tmp_path):
    train_extractor(config_for(voices, tmp_path / "exp", valid_data=trials, train={"dry_run": True, "batch_size": 2}))
    assert not (tmp_path / "exp").exists()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"draw": DrawConfig()}, ConfigError, "draw.source_data: expected the data directory"),
        ({"losses": {"si_sdrr": None}}, ConfigError, "unknown name 'si_sdrr' in losses; did you mean 'si_sdr'"),
        ({"extractor": "spexplus"}, ConfigError, "did you mean 'spex_plus'"),
        ({"extractor_options": {"num_filter": 8}}, ConfigError, "extractor_options: unknown setting num_filter"),
        ({"extractor_options": {"num_speakers": 8}}, ConfigError, "num_speakers is counted in the data, not set"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_written(voices, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        train_extractor(config_for(voices, tmp_path / "exp", **changes))
    assert not (tmp_path / "exp").exists()


def test_data_of_another_rate_are_refused(voices, tmp_path):
    with pytest.raises(UserError, match="expected 8000 Hz, found 16000 Hz"):
        train_extractor(config_for(voices, tmp_path / "exp", fs=8000))


def test_a_directory_that_holds_no_trials_is_no_validation(voices, tmp_path):
    with pytest.raises(DataDirError, match=r"spk1\.scp: no such file"):
        train_extractor(config_for(voices, tmp_path / "exp", valid_data=voices / "data" / "test"))


@pytest.fixture
def model(tmp_path):
    """An untrained model's folder."""
    (tmp_path / "model").mkdir()
    spec = ExtractorSpec("spex_plus", SMALL, 16000, 3)
    weights = build_extractor(spec).state_dict()
    safetensors.torch.save_file(weights, tmp_path / "model" / "best.safetensors")
    text = json.dumps({**spec.__dict__})  # JSON is YAML
    (tmp_path / "model" / "model.yaml").write_text(text)
    return tmp_path / "model"


def test_a_model_is_its_yaml_and_its_weights(model):
    assert load_extractor(model)[0] == ExtractorSpec("spex_plus", SMALL, 16000, 3)


def change_yaml(model, **changes):
    settings = json.loads((model / "model.yaml").read_text())
    (model / "model.yaml").write_text(json.dumps({**settings, **changes}))


def cut_weights(model):
    content = (model / "best.safetensors").read_bytes()
    (model / "best.safetensors").write_bytes(content[: len(content) // 2])


def pickle_weights(model):
    (model / "best.safetensors").write_bytes(pickle.dumps({"weight": 1}))


def torch_weights(model):
    torch.save({"weight": torch.zeros(1)}, model / "best.safetensors")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda model: change_yaml(model, format_version=2), "expected format_version 1, found 2; use the toolkit"),
        (lambda model: change_yaml(model, format_version=None, new=1), "expected format_version 1, found None"),
        (lambda model: change_yaml(model, num_speakers=4), "weights of another network than model.yaml describes"),
        (lambda model: change_yaml(model, wobble=4), "unknown setting wobble"),
        (lambda model: change_yaml(model, extractor="spex"), r"model\.yaml: unknown name 'spex' in models.extractors"),
        (
            lambda model: change_yaml(model, extractor_options={"filters": 3}),
            r"model\.yaml: extractor_options: unknown setting filters",
        ),
        (lambda model: (model / "model.yaml").unlink(), r"model\.yaml: no such file; expected the folder of a trained"),
        (lambda model: (model / "model.yaml").write_text("embedder: a\n"), "not the model of an extractor"),
        (lambda model: (model / "model.yaml").write_text("a: [\n"), "not a YAML file"),
        (lambda model: (model / "best.safetensors").unlink(), r"last\.safetensors: no such file"),
        (cut_weights, "cut short or no safetensors file"),
        (pickle_weights, "is a pickle, which could run code: refused"),
        (torch_weights, "is a pickle, which could run code: refused"),
    ],
)
def test_a_model_that_is_not_sound_is_refused_in_one_line(model, spoil, message):
    spoil(model)
    with pytest.raises(UserError, match=message) as refusal:
        load_extractor(model)
    assert "\n" not in str(refusal.value)


def test_a_network_is_trained_on_x_vectors_and_extracts_by_them(voices, trials, experiment, tmp_path, capsys):
    extract_embeddings(
        ExtractConfig(experiment / "embedder", voices / "data" / "train", tmp_path / "xvector", device="cpu")
    )
    enroll(EnrollConfig(embedder=experiment / "embedder", data=trials, device="cpu"))
    options = SMALL | {"clue_dim": 12}
    table = tmp_path / "xvector" / "xvector.scp"
    config = config_for(voices, tmp_path / "exp", extractor_options=options, clue_table=table, valid_data=trials)
    train_extractor(dataclasses.replace(config, draw=dataclasses.replace(config.draw, speeds=(1.0,))))
    for line in read_history(tmp_path / "exp"):
        assert np.isfinite(line["valid"]["si_sdr"]) and "speaker_accuracy" not in line["train"]
    extract_trials(TrialsConfig(tmp_path / "exp", trials, tmp_path / "out", device="cpu"))
    extractor = Extractor.load(tmp_path / "exp", device="cpu")
    for trial, mixture in read_table(trials / "wav.scp").items():
        clue = read_clue(extractor, read_table(trials / "clue_spk1.scp")[trial])
        voice = read_audio(read_table(tmp_path / "out" / "wav.scp")[trial])[0]
        np.testing.assert_allclose(voice, extractor.extract(read_audio(mixture)[0], clue=clue), atol=3e-5)


def test_a_table_of_clues_that_does_not_fit_the_network_is_refused(voices, experiment, tmp_path):
    scp = experiment / "clean" / "spk_xvector.scp"
    with pytest.raises(ConfigError, match=r"clue_table: expected one if, and only if, .* clue_dim 0, and the table is"):
        train_extractor(config_for(voices, tmp_path / "exp", clue_table=scp))
    options = SMALL | {"clue_dim": 12}
    with pytest.raises(ConfigError, match=r"clue_dim 12, and the table is None"):
        train_extractor(config_for(voices, tmp_path / "exp", extractor_options=options))
    config = config_for(voices, tmp_path / "exp", extractor_options=options, clue_table=scp)
    slow, plain = (
        dataclasses.replace(config, draw=dataclasses.replace(config.draw, speeds=s)) for s in ((0.9,), (1.0,))
    )
    with pytest.raises(ConfigError, match=r"draw.speeds: expected \[1.0\] beside clue_table, .* got \[0.9\]"):
        train_extractor(slow)
    with pytest.raises(DataDirError, match=r"spk_xvector\.scp: no line for 'anna-"):
        train_extractor(plain)
