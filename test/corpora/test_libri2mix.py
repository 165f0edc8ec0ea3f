"""Libri2Mix: LibriSpeech's utterances for training, LibriMix's own mixtures as trials."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from zspex_toolkit.corpora import libri2mix
from zspex_toolkit.corpora.support.librimix_metadata import read_metadata
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import validate_data_dir


@pytest.fixture(scope="module")
def rendered(fake_tree_of, tmp_path_factory):
    """Folder with data/trials_test and dump."""
    work = tmp_path_factory.mktemp("libri2mix")
    prepare_test(fake_tree_of("libri2mix"), work)
    return work


def prepare_test(root, work, **options) -> Path:
    """The directory of the test trials."""
    (path,) = libri2mix.prepare_trials(root, work / "data", work / "dump", sets=("test",), **options)
    return path


def to_16_bits(samples: np.ndarray) -> np.ndarray:
    """What libsndfile makes of floats when it clips: rounded to 32 bits, of which the upper 16 are kept."""
    return np.floor(np.rint(samples.astype(np.float64) * 2**31) / 2**16)


def test_the_fake_tree_has_the_original_s_layout_and_file_types(root):
    path = root / "LibriSpeech/test-clean/61/13751/61-13751-0000.flac"
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.samplerate, info.channels) == ("FLAC", "PCM_16", 16000, 1)
    assert soundfile.info(root / "wham_noise/tt/noise0.wav").channels == 2
    text = (root / "metadata/Libri2Mix/libri2mix_test-clean_info.csv").read_text()
    assert text.splitlines()[1] == "61-13751-0000_121-13751-0001,61.0,F,121.0,M"


@pytest.mark.parametrize("given", ["", "LibriSpeech"])  # LibriSpeech's own root serves as well
def test_train_dev_and_test_are_the_parts_of_librispeech(root, tmp_path, capsys, given):
    train, dev, test = map(DataDir.load, libri2mix.prepare(root / given, tmp_path / "data"))
    assert sorted(train.spk2utt) == ["103", "1034", "19", "26", "27", "32", "39"]
    assert train.wavs["103-13751-0003"] == f"{root}/LibriSpeech/train-clean-100/103/13751/103-13751-0003.flac"
    assert train.table("text")["103-13751-0003"] == "THIS IS NUMBER 3"
    assert (test.table("spk2gender")["61"], test.table("spk2gender")["121"]) == ("f", "m")
    assert len(dev.utterances) == len(test.utterances) == 20
    assert "libri2mix: in 96, kept 96, dropped 0\n" in capsys.readouterr().out


def test_both_training_parts_can_be_used_together(root, tmp_path):
    speech = root / "LibriSpeech"
    for path in list((speech / "dev-clean/84/13751").iterdir()):  # stands in for a speaker of train-clean-360
        target = speech / "train-clean-360/14/208" / path.name.replace("84-13751", "14-208")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    train = DataDir.load(libri2mix.prepare(root, tmp_path / "data", train=("train-100", "train-360"))[0])
    assert {"14", "103"} <= set(train.spk2utt)
    assert "14-208-0000" in train.utterances


@pytest.mark.parametrize("part", ["test-clean", "train-clean-100"])
def test_a_missing_part_of_librispeech_is_named(root, tmp_path, part):
    shutil.rmtree(root / "LibriSpeech" / part)
    with pytest.raises(ConfigError) as error:
        libri2mix.prepare(root, tmp_path / "data")
    expected = f"libri2mix: no folder {root}/LibriSpeech/{part}; is {root} the root of LibriSpeech?"
    assert str(error.value) == expected
    assert not (tmp_path / "data").exists()


def test_an_unknown_training_part_names_those_there_are(root, tmp_path):
    with pytest.raises(ConfigError, match=r"^libri2mix: train: expected train-100 or train-360, got 'test'$"):
        libri2mix.prepare(root, tmp_path, train=("test",))


def test_the_rendered_files_are_librimix_s_procedure_sample_for_sample(fake_tree_of, rendered):
    """Read, gain, resample, cut, sum and truncate to 16 bits, with numpy and scipy alone."""
    root = fake_tree_of("libri2mix")
    rows = read_metadata(root / "metadata/Libri2Mix/libri2mix_test-clean.csv")
    assert len(rows) == 11
    for row in rows:
        speech = [soundfile.read(root / "LibriSpeech" / path, dtype="float32")[0] for path in row.sources]
        signals = [resample_poly(one * gain, 8000, 16000) for one, gain in zip(speech, row.gains, strict=True)]
        one, two = (signal[: min(map(len, signals))] for signal in signals)
        for folder, samples in (("s1", one), ("s2", two), ("mix_clean", one + two)):
            found = soundfile.read(rendered / f"dump/wav8k/min/test/{folder}/{row.id}.wav", dtype="int16")[0]
            assert np.array_equal(found, to_16_bits(samples)), (folder, row.id)


def test_on_the_fly_gives_the_stored_samples_and_stores_none(fake_tree_of, rendered, tmp_path):
    path = prepare_test(fake_tree_of("libri2mix"), tmp_path, on_the_fly=True)
    stored = DataDir.load(rendered / "data/trials_test")
    computed = DataDir.load(path)
    assert computed.utterances == stored.utterances
    for name in ("wav.scp", "spk1.scp", "spk2.scp", "enroll_spk1.scp"):
        for trial, source in computed.table(name).items():
            assert np.array_equal(read_audio(source)[0], read_audio(stored.table(name)[trial])[0])
    assert validate_data_dir(path, check_audio=True) == []
    assert list((tmp_path / "dump").rglob("*.wav")) == []


def test_noisy_mixtures_are_the_sum_with_the_noise_and_clean_ones_need_none(root, tmp_path):
    path = prepare_test(root, tmp_path, condition="noisy")
    data = DataDir.load(path)
    for trial in data.utterances:
        parts = [read_audio(data.table(name)[trial])[0] for name in ("spk1.scp", "spk2.scp", "noise1.scp")]
        assert np.abs(read_audio(data.wavs[trial])[0] - sum(parts)).max() < 3 / 32768  # each truncated by itself
    shutil.rmtree(root / "wham_noise")
    prepare_test(root, tmp_path)
    assert not (path / "noise1.scp").exists()


def test_clean_and_noisy_renderings_share_their_sources(root, tmp_path, capsys):
    for condition in ("clean", "noisy", "clean"):
        prepare_test(root, tmp_path, condition=condition)
    counts = [line for line in capsys.readouterr().out.splitlines() if " rendered, " in line]
    assert counts[-1] == "libri2mix test: 11 in, 0 rendered, 11 already there"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"condition": "noisy", "wham_dir": "nowhere"},
            "no folder nowhere; noisy mixtures need wham_dir, the root of WHAM's noise",
        ),
        (
            {"metadata_dir": "nowhere"},
            "no file nowhere/libri2mix_test-clean.csv; set metadata_dir to LibriMix's metadata/Libri2Mix",
        ),
        ({"condition": "loud"}, "condition: expected one of clean, noisy, got 'loud'"),
    ],
)
def test_what_trials_cannot_be_made_of_is_one_clear_line(fake_tree_of, tmp_path, options, message):
    with pytest.raises(ConfigError) as error:
        prepare_test(fake_tree_of("libri2mix"), tmp_path, **options)
    assert str(error.value) == f"libri2mix: {message}"


def test_the_published_map_is_followed_and_its_leak_declared(fake_tree_of, rendered, capsys):
    """The first line enrolls 61-13751-0000 with itself, from another mixture."""
    trials = rendered / "data/trials_test"
    assert read_table(trials / "enroll_is_target") == {"61-61-13751-0000_121-13751-0001": "1"}
    enrollment = read_table(trials / "enroll_spk1.scp")["61-61-13751-0000_121-13751-0001"]
    assert enrollment.endswith("/s1/61-13751-0000_672-13751-0001.wav")
    published = fake_tree_of("libri2mix") / "metadata/Libri2Mix/test/map_mixture2enrollment"
    assert sorted((trials / "map_mixture2enrollment").read_text().splitlines()) == sorted(
        published.read_text().splitlines()
    )


def test_without_a_map_enrollments_are_drawn_with_the_seed_and_never_leak(root, tmp_path, capsys):
    def enrollments(out, seed):
        options = {"sets": ("test",), "seed": seed, "enrollment_dir": str(tmp_path)}
        (path,) = libri2mix.prepare_trials(root, tmp_path / out, tmp_path / "dump", **options)
        assert not (path / "enroll_is_target").exists()
        return read_table(path / "enroll_spk1.scp")

    libri2mix.prepare_trials(root, tmp_path / "a", tmp_path / "dump", sets=("test",))  # leaves a table of leaks
    assert "libri2mix test: 1 of 22 trials enroll with the target utterance itself" in capsys.readouterr().out
    assert enrollments("a", 0) == enrollments("b", 0)
    assert enrollments("a", 0) != enrollments("c", 1)
    drawn = f"libri2mix: test: no {tmp_path}/test/map_mixture2enrollment: enrollments are drawn with seed 0"
    assert drawn in capsys.readouterr().out


def test_a_malformed_line_of_the_map_stops_before_anything_is_written(root, tmp_path):
    path = root / "metadata/Libri2Mix/test/map_mixture2enrollment"
    path.write_text(path.read_text() + "a b c d\n")
    with pytest.raises(DataDirError, match=rf"^{path}:23: expected '<mixture> <target utterance> s1\|s2/<mixture>'"):
        prepare_test(root, tmp_path)
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "dump").exists()


def test_trials_whose_line_is_missing_in_the_map_are_counted(root, tmp_path):
    path = root / "metadata/Libri2Mix/test/map_mixture2enrollment"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    trials = prepare_test(root, tmp_path, max_fault_share=0.1)
    assert (trials / "dropped.txt").read_text() == "672-61-13751-0000_672-13751-0001 no enrollment\n"
