"""A recogniser with global normalisation has the mean and deviation of its training set."""

import pytest
import torch
from support.tone_recogniser import OPTIONS, tone_config, write_tones

from zspex_toolkit.data.transcribed import TranscribedBatches
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.tasks.feature_statistics import feature_statistics
from zspex_toolkit.tasks.recognition import load_recogniser, train_recogniser

pytest.importorskip("sentencepiece")


class Levels:
    """Features that are the samples themselves: a frame each, of one filter."""

    def __call__(self, waveforms, num_samples):
        return waveforms[..., None], num_samples


class Two:
    """Two batches; the second has a padded row."""

    collate = staticmethod(TranscribedBatches.collate)

    def __len__(self):
        return 2

    def get(self, epoch, index):
        rows = [[[1.0, 3.0]], [[5.0, 7.0, 9.0], [5.0]]][index]
        return [(f"{index}-{n}", torch.tensor(row).numpy(), [1]) for n, row in enumerate(rows)]


def test_statistics_by_hand_leave_padding_out():
    mean, deviation = feature_statistics(Levels(), Two())
    assert mean.tolist() == [5.0]
    assert deviation.item() == pytest.approx((40 / 6) ** 0.5)  # of 1, 3, 5, 7, 9, 5


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_tones(tmp_path_factory.mktemp("tones"))


def trained(data, exp_dir, cmvn):
    train_recogniser(tone_config(data, exp_dir, num_epochs=1, recogniser_options={**OPTIONS, "cmvn": cmvn}))
    return load_recogniser(exp_dir)[2]


def test_a_training_sets_and_keeps_them(data, tmp_path):
    network = trained(data, tmp_path / "exp", "global")
    waveforms = Waveforms(data / "data/train", 8000)
    frames = []
    for utt in waveforms.utterances:
        samples = torch.from_numpy(waveforms[utt])
        frames.append(network.front_end(samples[None], torch.tensor([len(samples)]))[0][0])
    frames = torch.cat(frames).double()
    torch.testing.assert_close(network.mean.double(), frames.mean(0), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(network.deviation.double(), frames.std(0, correction=0), rtol=1e-3, atol=1e-3)


def test_a_recogniser_with_statistics_of_each_utterance_has_none(data, tmp_path):
    assert not hasattr(trained(data, tmp_path / "exp", "utterance"), "mean")
