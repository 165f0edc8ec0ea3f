"""What every corpus that brings its own trials must do; a new one is tested here without being named."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from zspex_toolkit import registry
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import validate_data_dir

MODULES = {name: registry.load_module("corpora", name) for name in registry.available("corpora")}
CORPORA = [name for name, module in MODULES.items() if hasattr(module, "prepare_trials")]


def test_there_are_such_corpora():
    assert {"libri2mix", "wsj0_2mix"} <= set(CORPORA)


@pytest.fixture(scope="module", params=CORPORA)
def prepared(request, fake_tree_of, tmp_path_factory):
    """(corpus module, its fake tree, folder of data and dump, the trial directories in there)."""
    corpus, work = registry.load_module("corpora", request.param), tmp_path_factory.mktemp("work")
    written = corpus.prepare_trials(fake_tree_of(request.param), work / "data", work / "dump")
    return corpus, fake_tree_of(request.param), work, written


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_validation_and_test_trials_are_written_and_valid_down_to_the_audio(prepared):
    assert [path.name for path in prepared[3]] == ["trials_dev", "trials_test"]
    for directory in prepared[3]:
        assert validate_data_dir(directory, check_audio=True, fs=8000) == []


def test_both_speakers_of_each_mixture_are_targets_in_turn_with_one_file_and_swapped_references(prepared):
    names = ("wav.scp", "utt2spk", "utt2spk2", "spk1.scp", "spk2.scp")
    for directory in prepared[3]:
        tables, by_mixture = [read_table(directory / name) for name in names], {}
        for trial, mixture in read_table(directory / "utt2mixture").items():
            by_mixture.setdefault(mixture, []).append([table[trial] for table in tables])
        for (wav, target, interferer, reference, other), swapped in by_mixture.values():
            assert swapped == [wav, interferer, target, other, reference]
            assert target != interferer and reference != other


def test_an_enrollment_is_other_speech_of_the_target_unless_it_is_declared(prepared):
    for directory in prepared[3]:
        data, leaks = DataDir.load(directory), directory / "enroll_is_target"
        declared = read_table(leaks) if leaks.exists() else {}
        speakers = {path: data.utt2spk[trial] for trial, path in data.table("spk1.scp").items()}
        for trial, path in data.table("enroll_spk1.scp").items():
            assert speakers.get(path, data.utt2spk[trial]) == data.utt2spk[trial]
            if trial not in declared:
                assert Path(path) != Path(data.table("spk1.scp")[trial])


def test_what_scoring_needs_is_there(prepared):
    for directory in prepared[3]:
        data = DataDir.load(directory)
        assert set(data.table("utt2condition").values()) == {"present"}
        assert set(data.table("spk2gender").values()) == {"f", "m"}
        for trial, length in data.table("utt2num_samples").items():
            assert soundfile.info(data.wavs[trial]).frames == int(length)


def test_the_speakers_of_test_are_unseen(prepared, tmp_path):
    corpus, root, _, written = prepared
    train = DataDir.load(corpus.prepare(root, tmp_path)[0])
    test = DataDir.load(written[1])
    assert not set(train.spk2utt) & (set(test.utt2spk.values()) | set(test.table("utt2spk2").values()))


def test_doing_it_again_renders_nothing_and_changes_nothing(prepared, capsys):
    corpus, root, work, _ = prepared
    before = files_of(work)
    corpus.prepare_trials(root, work / "data", work / "dump")
    assert files_of(work) == before
    rendered = [line for line in capsys.readouterr().out.splitlines() if " rendered, " in line]
    assert len(rendered) == 2
    assert all(", 0 rendered, " in line for line in rendered)


def test_counts_other_than_the_published_ones_are_said(prepared, tmp_path, capsys):
    corpus, root, work, _ = prepared
    (directory,) = corpus.prepare_trials(root, tmp_path / "data", work / "dump", sets=("test",))
    name, number = corpus.__name__.rpartition(".")[2], len(set(read_table(directory / "utt2mixture").values()))
    expected = f"{name}: warning: test has {number} mixtures; the published list has 3,000\n"
    assert expected in capsys.readouterr().out


def test_a_killed_run_goes_on_with_what_is_missing_or_cut_off(prepared, tmp_path, capsys):
    corpus, root, work, _ = prepared
    shutil.copytree(work / "dump", tmp_path / "dump")
    wavs = sorted((tmp_path / "dump").rglob("*.wav"))
    wavs[0].unlink()
    wavs[-1].write_bytes(wavs[-1].read_bytes()[:1000])
    corpus.prepare_trials(root, tmp_path / "data", tmp_path / "dump")
    assert sum(" 1 rendered" in line or " 2 rendered" in line for line in capsys.readouterr().out.splitlines()) >= 1
    assert files_of(tmp_path / "dump") == files_of(work / "dump")


def test_several_processes_give_the_same_bytes(prepared, tmp_path):
    corpus, root, work, _ = prepared
    corpus.prepare_trials(root, tmp_path / "data", tmp_path / "dump", nj=3)
    assert files_of(tmp_path / "dump") == files_of(work / "dump")


def test_16_khz_and_max_are_another_rendering(prepared, tmp_path):
    corpus, root, _, written = prepared
    longer = corpus.prepare_trials(root, tmp_path / "data", tmp_path / "dump", fs=16000, mode="max", sets=("test",))
    assert validate_data_dir(longer[0], check_audio=True, fs=16000) == []
    seconds = {
        fs: np.array([len(read_audio(wav, fs=fs)[0]) / fs for wav in DataDir.load(path).wavs.values()])
        for fs, path in ((8000, written[1]), (16000, longer[0]))
    }
    assert (seconds[16000] >= seconds[8000] - 1 / 8000).all()
    assert seconds[16000].sum() > seconds[8000].sum()


def test_a_missing_recording_is_counted_and_too_many_stop(prepared, tmp_path, capsys):
    corpus, root, _, written = prepared
    copy = Path(shutil.copytree(root, tmp_path / "corpus"))
    trials = DataDir.load(written[1])
    speaker = min(trials.spk2utt)
    recordings = [path for path in copy.rglob("*") if path.suffix in (".flac", ".wv1") and speaker in path.parts]
    recordings[0].unlink()
    (directory,) = corpus.prepare_trials(
        copy, tmp_path / "data", tmp_path / "dump", sets=("test",), max_fault_share=0.5
    )
    dropped = (directory / "dropped.txt").read_text().splitlines()
    assert len(dropped) + len(DataDir.load(directory).utterances) == len(trials.utterances)
    assert any(line.endswith(" missing file") for line in dropped)
    assert f", dropped {len(dropped)} (" in capsys.readouterr().out


def test_an_unknown_set_names_those_there_are(prepared, tmp_path):
    corpus, root, _, _ = prepared
    name = corpus.__name__.rpartition(".")[2]
    with pytest.raises(ConfigError, match=rf"^{name}: sets: expected of .*dev, test, got 'tt'$"):
        corpus.prepare_trials(root, tmp_path / "data", tmp_path / "dump", sets=("tt",))


def test_no_process_at_all_is_refused(prepared, tmp_path):
    with pytest.raises(ConfigError, match=r"^nj: expected 1 process or more, got 0$"):
        prepared[0].prepare_trials(prepared[1], tmp_path / "data", tmp_path / "dump", nj=0)
