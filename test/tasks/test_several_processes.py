"""Every task's own networks, losses and data on two processes (gloo) against one.

By design one thing differs here, for no network of the toolkit has dropout: batch normalisation normalises by the items
of its own process. Where training is compared it is switched to its running statistics; where validation is, it stays.
"""

import contextlib
import dataclasses
import json
import os
import signal

import pytest
import safetensors.torch
import torch
from support.several import in_processes, outputs
from support.toy import assert_same_training
from torch import nn

from zspex_toolkit.data.drawn_trials import DrawConfig
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.plan_trials import Config as PlanConfig
from zspex_toolkit.prepare.plan_trials import plan_trial_dir
from zspex_toolkit.prepare.render_trials import Config as RenderConfig
from zspex_toolkit.prepare.render_trials import render_trial_dir
from zspex_toolkit.tasks import classification, demixing, embedding, extraction
from zspex_toolkit.tasks.experiment import load_weights
from zspex_toolkit.train.batches import BatchLoader, plan_validation
from zspex_toolkit.train.config import TrainConfig
from zspex_toolkit.train.history import read_history
from zspex_toolkit.train.step import Objective
from zspex_toolkit.train.trainer import Trainer
from zspex_toolkit.train.validate import validate

EXTRACTOR = {
    **{"num_filters": 8, "kernel_sizes": [32, 64, 128], "stride": 16, "bottleneck": 8, "hidden": 8},
    **{"num_blocks": 2, "num_stacks": 1, "embedding_dim": 8, "speaker_hidden": 8, "start": "mixture"},
}
EMBEDDER = {"channels": 16, "pooled_channels": 24, "embedding_dim": 12}
DEMIXERS = ("subtract", "multiply", "concat1", "concat2", "share_concat", "separate_concat", "modulate")
CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trials(voices, tmp_path_factory):
    """Training utterances of three voices, and validation trials of four of all conditions: dave is unknown."""
    folder = tmp_path_factory.mktemp("trials")
    train = DataDir.load(voices / "data" / "train")
    known = {utt: spk for utt, spk in train.utt2spk.items() if spk != "dave"}
    write_data_dir(folder / "train", wavs={utt: train.wavs[utt] for utt in known}, utt2spk=known)
    test = voices / "data" / "test"
    plan_trial_dir(PlanConfig(test, folder / "valid", speakers=4, per_speaker=4, absent_share=0.3, single_share=0.2))
    render_trial_dir(RenderConfig(folder / "valid", test, folder / "dump"))
    return folder


def config_of(task, exp_dir, voices, trials, experiment):
    """A training of one epoch (of the extractors: one of speakers alone, and one of all losses) in steps of 5 items."""
    train = TrainConfig(num_epochs=1, batch_size=5, optimizer="sgd", learning_rate=0.01, clip_grad_norm=5.0, amp="none")
    common = {"exp_dir": exp_dir, "device": "cpu"}
    if task in ("spex_plus", "zspex"):
        draw = DrawConfig(
            source_data=trials / "train",
            **{"segment_seconds": 0.5, "enrollment_seconds": (0.3, 0.5), "speaker_epochs": 1},
            **{"absent_probability": 0.3, "single_probability": 0.2},
        )
        sets = {"draw": draw, "valid_data": trials / "valid", "valid_seconds": 1.0, "fs": 16000}
        train = TrainConfig(**{**vars(train), "num_epochs": 2})
        return extraction.Config(**common, extractor=task, extractor_options=EXTRACTOR, **sets, train=train)
    if task == "embedder":
        margin = {"losses": {"additive_angular_margin": {"options": {"margin": 0.1, "scale": 10.0}}}}
        sets = {"data": voices / "data" / "train", "network_options": EMBEDDER, "segment_frames": 60}
        return embedding.Config(**common, **sets, **margin, train=train)
    if task == "classifier":
        return classification.Config(
            **common, data=experiment / "xvectors", network_options={"hidden": 16}, train=train
        )
    known = {"embedder": experiment / "embedder", "clean_speakers": experiment / "clean" / "spk_xvector.scp"}
    sets = {name: (voices / "data" / f"mix_{of}_snr0",) for name, of in (("data", "train"), ("valid_data", "test"))}
    judge = {"classifier": experiment / "classifier", "segment_frames": 60}
    judge["losses"] = {"mean_absolute_error": {"weight": 1.0}, "cross_entropy": {"weight": 0.1}}
    return demixing.Config(**common, **known, **sets, **judge, given="both", demixers=DEMIXERS, train=train)


MODULES = {"spex_plus": extraction, "zspex": extraction, "embedder": embedding, "classifier": classification}


def start(task, config):
    """Train as the command does; returns the folders."""
    module = MODULES.get(task, demixing)
    (command,) = [getattr(module, name) for name in module.__dict__ if name.startswith("train_")]
    done = command(config)
    return done if isinstance(done, list) else [done]


def train_of_rank(folder, rank, task, config, by_running_statistics):
    if by_running_statistics:
        use_running_statistics(setattr)
    start(task, config)


def use_running_statistics(set_attribute):
    """Batch normalisation stays as it is in evaluation."""
    set_attribute(nn.modules.batchnorm._BatchNorm, "train", lambda self, mode=True: nn.Module.train(self, False))


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize("task", ["spex_plus", slow("zspex"), "embedder", "classifier", slow("demixers")])
def test_an_epoch_on_two_processes_ends_with_the_scores_and_weights_of_one(
    task, voices, trials, experiment, tmp_path, monkeypatch
):
    given = (voices, trials, experiment)
    use_running_statistics(monkeypatch.setattr)
    ones = start(task, config_of(task, tmp_path / "one", *given))
    several = config_of(task, tmp_path / "several", *given)
    assert in_processes(2, train_of_rank, tmp_path, task, several, True) == [0, 0], outputs(tmp_path)
    for one in ones:
        other = one.with_name(one.name.replace("one", "several"))
        assert "learning rate: 0.01 by the rule constant, the same" in (other / "train.log").read_text()
        for line, expected in zip(read_history(other), read_history(one), strict=True):
            assert line["train"]["loss"] == pytest.approx(expected["train"]["loss"], rel=1e-4)
            assert (line["valid"] is None) == (task in ("embedder", "classifier"))  # these have no validation set
            assert (line["valid"] or {}) == pytest.approx(expected["valid"] or {}, rel=1e-4, abs=1e-4)
        weights, expected = (safetensors.torch.load_file(folder / "last.safetensors") for folder in (other, one))
        torch.testing.assert_close(weights, expected, rtol=1e-5, atol=1e-6)


def validated_alone(task, config, monkeypatch):
    """What one process finds for the last weights of each of a task's finished trainings."""
    found = []

    def instead(model, loss, train_set, valid_set, exp_dir, train_config, device):
        load_weights(model, exp_dir / "last.safetensors")
        batches = plan_validation(len(valid_set), train_config.batch_size)
        with contextlib.closing(BatchLoader(valid_set, train_config, CPU)) as loader:
            found.append(validate(Objective(model, loss, CPU, "none"), loader, batches, seed=0, log=print))

    monkeypatch.setattr(MODULES.get(task, demixing), "train", instead)
    start(task, config)
    return found


@pytest.mark.parametrize("task", ["spex_plus", slow("zspex"), slow("demixers")])
def test_on_the_same_weights_two_processes_validate_as_one_to_the_bit(
    task, voices, trials, experiment, tmp_path, monkeypatch
):
    config = config_of(task, tmp_path / "exp", voices, trials, experiment)
    assert in_processes(2, train_of_rank, tmp_path, task, config, False) == [0, 0], outputs(tmp_path)
    folders = [tmp_path / "exp"] if task in MODULES else [tmp_path / f"exp_{name}" for name in DEMIXERS]
    of_two = [read_history(folder)[-1]["valid"] for folder in folders]
    assert of_two == validated_alone(task, config, monkeypatch)


def note_items(folder, rank, name, config, at, number):
    """One of two processes trains, writes down the items of each step and, as the second one, is sent a signal."""
    take_step = Trainer._take_step

    def noting(self, batches):
        place = [self.progress.epoch, self.progress.step]
        with open(folder / f"{name}.items", "a") as stream:
            stream.write(json.dumps([*place, rank, [batch["ids"] for batch in batches]]) + "\n")
        if place == at and rank == 1:
            os.kill(os.getpid(), number)
        take_step(self, batches)

    Trainer._take_step = noting
    extraction.train_extractor(dataclasses.replace(config, exp_dir=folder / name))


def noted(path):
    """Items by epoch, step and process; a step that was taken twice had the same ones."""
    items = {}
    for epoch, step, rank, ids in map(json.loads, path.read_text().splitlines()):
        assert items.setdefault((epoch, step, rank), ids) == ids
    return items


@pytest.fixture(scope="module")
def undisturbed(voices, trials, tmp_path_factory):
    """A training of Z-SpEx on two processes, with checkpoints in mid-epoch."""
    folder = tmp_path_factory.mktemp("undisturbed")
    config = config_of("zspex", folder, voices, trials, None)
    config = dataclasses.replace(config, train=dataclasses.replace(config.train, checkpoint_steps=2))
    assert in_processes(2, note_items, folder, "whole", config, None, 0) == [0, 0], outputs(folder)
    return folder, config


@pytest.mark.parametrize(
    ("number", "ends", "steps_done"), [slow(signal.SIGTERM, [75, 75], 4), (signal.SIGKILL, [1, -signal.SIGKILL], 2)]
)
def test_an_extractor_stopped_or_killed_in_mid_epoch_goes_on_with_the_same_items_to_the_same_end(
    undisturbed, tmp_path, number, ends, steps_done
):
    folder, config = undisturbed
    assert in_processes(2, note_items, tmp_path, "parts", config, [1, 3], number) == ends, outputs(tmp_path)
    assert in_processes(2, note_items, tmp_path, "parts", config, None, 0) == [0, 0], outputs(tmp_path)
    log = (tmp_path / "parts" / "train.log").read_text()
    assert f"epoch-2-step-{steps_done}.pt: 1 epochs and {steps_done} steps done" in log
    assert noted(tmp_path / "parts.items") == noted(folder / "whole.items")
    assert_same_training(tmp_path / "parts", folder / "whole")
