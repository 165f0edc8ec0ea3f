"""Stored features are those the front end would make of the audio."""

import shutil

import pytest
import torch

from zspex_toolkit.data.front_end import check_front_end, front_end_of
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.errors import DataDirError
from zspex_toolkit.signal.front_end import FrontEnd, FrontEndConfig


def test_they_equal_the_front_end_on_the_waveform(voices):
    features = StoredFeatures(voices / "data" / "train", FrontEndConfig())
    samples, _ = features.data.read_audio("anna-00")
    expected, _ = FrontEnd()(torch.from_numpy(samples)[None])
    torch.testing.assert_close(features["anna-00"], expected[0], rtol=1e-4, atol=1e-4)


def test_the_settings_left_beside_the_features_are_read(voices):
    assert front_end_of(voices / "data" / "train", cmvn_window=300) == FrontEndConfig()
    check_front_end(voices / "data" / "train", FrontEndConfig())


def copy_of(voices, tmp_path):
    shutil.copytree(voices / "data" / "test", tmp_path / "data")
    return tmp_path / "data"


def test_an_utterance_without_features_is_named_with_its_table(voices, tmp_path):
    data = copy_of(voices, tmp_path)
    lines = (data / "vad.scp").read_text().splitlines(keepends=True)
    (data / "vad.scp").write_text("".join(lines[1:]))
    with pytest.raises(
        DataDirError, match=r"vad.scp: no line for 'anna-06'; run compute_vad, or fix_data_dir if that dropped it"
    ):
        StoredFeatures(data, FrontEndConfig())


def test_decisions_of_another_length_are_refused(voices, tmp_path):
    data = copy_of(voices, tmp_path)
    specs = dict(line.split() for line in (data / "vad.scp").read_text().splitlines())
    specs["anna-06"] += "[0:9]"
    (data / "vad.scp").write_text("".join(f"{utt} {spec}\n" for utt, spec in specs.items()))
    with pytest.raises(DataDirError, match=r"expected \d+ decisions for 'anna-06', as frames, found 10"):
        StoredFeatures(data, FrontEndConfig())["anna-06"]


def test_features_of_another_front_end_are_refused(voices, tmp_path):
    data = copy_of(voices, tmp_path)
    conf = data / "conf" / "vad.conf"
    conf.write_text(conf.read_text().replace("--vad-energy-threshold=5.5", "--vad-energy-threshold=6"))
    with pytest.raises(DataDirError, match=r"trained on other features: energy_threshold 6\.0, expected 5\.5"):
        StoredFeatures(data, FrontEndConfig())
