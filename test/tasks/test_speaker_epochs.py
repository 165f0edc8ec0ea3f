"""The first epochs of an extractor may be about who speaks in the enrollments, and nothing else."""

import numpy as np
import pytest
import torch

from zspex_toolkit.data.drawn_trials import DrawConfig, DrawnTrials
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.models.extractors.zspex import ZSpex
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.tasks.extraction import Config, train_extractor
from zspex_toolkit.tasks.extraction_loss import ExtractionLoss
from zspex_toolkit.train.config import TrainConfig


@pytest.fixture
def trials(tmp_path):
    wavs, utt2spk = {}, {}
    for spk in ("a", "b", "c"):
        for number in range(3):
            utt = f"{spk}-{number}"
            wavs[utt], utt2spk[utt] = str(tmp_path / f"{utt}.wav"), spk
            noise = rng_for(0, utt).standard_normal(4000).astype(np.float32) * np.float32(0.1)
            write_audio(tmp_path / f"{utt}.wav", noise, 8000)
    write_data_dir(tmp_path / "data", wavs=wavs, utt2spk=utt2spk)
    config = DrawConfig(
        source_data=tmp_path / "data", segment_seconds=0.4, enrollment_seconds=(0.4,), min_utt_s=0.1, speaker_epochs=1
    )
    return DrawnTrials(config, 8000)


@pytest.fixture
def network():
    torch.manual_seed(0)
    sizes = {"num_filters": 8, "bottleneck": 8, "hidden": 8, "embedding_dim": 4, "speaker_hidden": 8, "tac_hidden": 4}
    return ZSpex(3, kernel_sizes=(20, 40, 60), stride=10, num_blocks=2, num_stacks=1, **sizes)


def batch_of(trials, epoch):
    return trials.collate([trials.get(epoch, index) for index in range(4)])


def gradients(network, batch):
    total, statistics = ExtractionLoss()(network, batch)
    total.backward()
    return {name for name, parameter in network.named_parameters() if parameter.grad is not None}, statistics


def test_in_them_the_extracting_part_has_no_gradient_and_the_speaker_branch_has(trials, network):
    reached, statistics = gradients(network, batch_of(trials, epoch=0))
    assert {"speaker_classifier.weight", "encoder.convolutions.0.weight"} & reached
    assert not any(name.startswith(("tcn.", "mask_generator.", "decoder.")) for name in reached)
    assert 0 <= statistics["speaker_accuracy"] <= 1 and statistics["si_sdri"].isnan()


def test_behind_them_everything_is_trained(trials, network):
    reached, statistics = gradients(network, batch_of(trials, epoch=1))
    assert reached == {name for name, _ in network.named_parameters()}
    assert statistics["si_sdri"].isfinite()


def test_the_enrollments_are_those_that_the_epoch_would_have_had_anyway(trials):
    rows = [row for item in (trials.get(0, 2), trials.get(0, 2)) for row in item]
    assert all(row.speaker_only for row in rows) and np.array_equal(rows[0].enrollment, rows[2].enrollment)


def test_in_them_the_loss_is_the_weighted_term_of_the_speaker(trials, network):
    settings = {"si_sdr": None, "cross_entropy": {"weight": 0.25}}
    total, statistics = ExtractionLoss(settings, speaker_epochs=1)(network, batch_of(trials, epoch=0))
    assert total.item() == pytest.approx(0.25 * statistics["loss_cross_entropy"].item())
    assert statistics["loss_si_sdr"].isnan()


NOTHING = r"draw\.speaker_epochs: nothing to learn in them, since no loss is of speaker scores"


def test_they_need_a_loss_of_the_speaker_which_is_known_without_data(tmp_path):
    draw = DrawConfig(source_data=tmp_path / "missing", speaker_epochs=3)
    with pytest.raises(ConfigError, match=NOTHING):
        train_extractor(Config(tmp_path / "exp", draw=draw, losses={"si_sdr": None, "cross_entropy": {"weight": 0}}))


def test_they_need_a_network_that_tells_speakers_apart(trials, network, monkeypatch):
    monkeypatch.setattr(network, "classify", lambda clue: None)
    with pytest.raises(ConfigError, match=NOTHING):
        ExtractionLoss(speaker_epochs=1)(network, batch_of(trials, epoch=0))


@pytest.mark.parametrize("options", [{"patience": 3}, {"schedule": "plateau", "plateau_patience": 2}])
def test_a_training_that_would_end_or_slow_down_in_them_is_refused(tmp_path, options):
    draw = DrawConfig(source_data=tmp_path / "missing", speaker_epochs=3)
    name = "patience" if "patience" in options else "plateau_patience"
    with pytest.raises(ConfigError, match=rf"train\.{name}: expected more than the 3 draw\.speaker_epochs, in which"):
        train_extractor(Config(tmp_path / "exp", draw=draw, train=TrainConfig(**options)))


@pytest.mark.parametrize("options", [{"patience": 4}, {"patience": 0, "schedule": "plateau", "plateau_patience": 4}])
def test_a_training_that_waits_longer_is_not(tmp_path, options):
    draw = DrawConfig(source_data=tmp_path / "missing", speaker_epochs=3)
    with pytest.raises(DataDirError, match="missing"):
        train_extractor(Config(tmp_path / "exp", draw=draw, train=TrainConfig(**options)))
