"""A set of mixtures knows its condition, its answers and the clean speech behind them."""

import shutil
from pathlib import Path

import pytest

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.score.mixtures import condition_of, load_mixtures, source_utterances
from zspex_toolkit.signal.front_end import FrontEndConfig


@pytest.mark.parametrize(
    ("name", "condition"), [("mix_test_snr-5", "snr-5"), ("mix_train_snr0", "snr0"), ("array1_test", "array1")]
)
def test_the_condition_is_read_from_the_name(name, condition):
    assert condition_of(Path("data") / name) == condition


@pytest.mark.parametrize("name", ["mix_test", "snr0", "headset", "mix_test_snrX", "a_b_test"])
def test_a_name_without_a_condition_is_refused(name):
    with pytest.raises(ConfigError, match="expected a name like mix_test_snr0 or array1_test"):
        condition_of(Path("data") / name)


def test_what_was_dropped_on_the_way_is_counted(voices, tmp_path):
    shutil.copytree(voices / "data" / "mix_test_snr0", tmp_path / "mix_test_snr0")
    (tmp_path / "mix_test_snr0" / "dropped.txt").write_text("anna-09 too short\ndave-09 silent\n")
    mixtures = load_mixtures(tmp_path / "mix_test_snr0", FrontEndConfig(), "e2", "test")
    assert mixtures.row["num_dropped"] == 2


def test_the_two_directions_swap_who_is_asked_for(voices):
    path = voices / "data" / "mix_test_snr0"
    e2, e1 = (load_mixtures(path, FrontEndConfig(), given, "test") for given in ("e2", "e1"))
    assert e2.asked == e1.known and e2.known == e1.asked
    assert [spk for spk in e2.asked] == [name.split("-")[0] for name in e2.names]
    assert (e2.row["condition"], e2.row["snr_db"], e2.row["set"]) == ("snr0", 0.0, "test")
    assert e2.row["list_hash"] != e1.row["list_hash"]


def test_the_clean_utterance_is_that_of_the_speaker_asked_for(voices):
    clean = DataDir.load(voices / "data" / "test")
    for given in ("e2", "e1"):
        mixtures = load_mixtures(voices / "data" / "mix_test_snr0", FrontEndConfig(), given, "test")
        sources = source_utterances(mixtures, clean)
        assert [clean.utt2spk[utt] for utt in sources] == mixtures.asked
        assert all(utt in name.split("_") for utt, name in zip(sources, mixtures.names, strict=True))


def test_mixtures_of_other_speech_are_refused(voices):
    mixtures = load_mixtures(voices / "data" / "mix_test_snr0", FrontEndConfig(), "e2", "test")
    with pytest.raises(DataDirError, match=r"the clean utterance in mixture 'anna-06_\S+' is not in"):
        source_utterances(mixtures, DataDir.load(voices / "data" / "train"))
