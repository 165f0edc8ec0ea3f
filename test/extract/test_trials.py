"""Every trial is extracted as it would be alone; a run that was killed goes on, a changed model begins anew."""

import json
import os

import numpy as np
import pytest
import torch
from support.made_up_trials import FS, make_trials
from support.tiny_model import OPTIONS, write_model

from zspex_toolkit.config import dump_config
from zspex_toolkit.errors import AudioError, ConfigError, DataDirError, JobError
from zspex_toolkit.extract import trials as module
from zspex_toolkit.extract.calibration import Calibration
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.notes import TrialNote, read_notes
from zspex_toolkit.extract.trials import Config, extract_trials, presence_of
from zspex_toolkit.io.audio import audio_info, read_audio, write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.validate import validate_data_dir
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor

PRESENCE = {"bias": 1.0, "energy_db": 0.25, "cosine": 4.0, "usual_gain": 2.0, "quietest_db": -60.0, "loudest_db": 0.0}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("exp") / "spex_plus", presence=PRESENCE)


@pytest.fixture
def trials(tmp_path):
    return make_trials(tmp_path)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "wav").iterdir())}


def test_each_trial_is_extracted_as_it_would_be_alone(model, trials, tmp_path, capsys):
    out = tmp_path / "out"
    extract_trials(Config(model, trials, out, device="cpu"))
    assert capsys.readouterr().out == f"{out}: 8 trials in, 8 extracted, 0 already there, 0 dropped\n"
    extractor = Extractor.load(model, device="cpu")
    enrollments, presence = read_table(trials / "enroll_spk1.scp"), read_table(out / "presence")
    for trial, mixture in read_table(trials / "wav.scp").items():
        sounds = (read_audio(mixture)[0], read_audio(enrollments[trial])[0], FS)
        voice = read_audio(read_table(out / "wav.scp")[trial])[0]
        np.testing.assert_allclose(voice, extractor.extract(*sounds), atol=3e-5)
        assert float(presence[trial]) == pytest.approx(extractor.presence(*sounds), abs=1e-4)


def test_a_trial_of_several_chunks_is_extracted_as_the_user_would(model, trials, tmp_path):
    rng = np.random.default_rng(0)
    write_audio(tmp_path / "long.wav", 0.1 * rng.standard_normal(30 * FS), FS)
    table = {trial: str(tmp_path / "long.wav") for trial in read_table(trials / "wav.scp")}
    for name in ("wav.scp", "spk1.scp"):
        write_table(trials / name, table)
    extract_trials(Config(model, trials, tmp_path / "out", device="cpu"))
    extractor = Extractor.load(model, device="cpu")
    sounds = (read_audio(table["ann-m1"])[0], read_audio(read_table(trials / "enroll_spk1.scp")["ann-m1"])[0], FS)
    assert len(read_notes(tmp_path / "out")["ann-m1"].energy_db) == 3
    np.testing.assert_allclose(
        read_audio(tmp_path / "out" / "wav" / "ann-m1.wav")[0], extractor.extract(*sounds), atol=3e-5
    )
    presence = float(read_table(tmp_path / "out" / "presence")["ann-m1"])
    assert presence == pytest.approx(extractor.presence(*sounds), abs=1e-4)


def test_a_batch_of_trials_gives_what_each_gives_alone(model, trials, tmp_path):
    directory = DataDir.load(trials)
    for name, size in (("one", 1), ("eight", 8)):  # as on a GPU
        found = module._trials(directory, tmp_path / name, "enroll_spk1.scp")
        for batch in module._batches(found, size):
            module._extract_batch(module._Model(model, "cpu", True, False), tmp_path / name, batch)
    one, eight = (read_notes(tmp_path / name) for name in ("one", "eight"))
    for trial, note in one.items():
        assert note.energy_db == pytest.approx(eight[trial].energy_db, abs=1e-3)
        assert note.likeness == pytest.approx(eight[trial].likeness, abs=1e-4)
        voices = [read_audio(tmp_path / name / "wav" / f"{trial}.wav")[0] for name in ("one", "eight")]
        np.testing.assert_allclose(*voices, atol=1e-4)


def test_the_output_is_a_data_directory_of_the_same_speakers(model, trials, tmp_path):
    extract_trials(Config(model, trials, tmp_path / "out", device="cpu"))
    assert read_table(tmp_path / "out" / "utt2spk") == read_table(trials / "utt2spk")
    assert validate_data_dir(tmp_path / "out", check_audio=True) == []


def test_the_cost_is_told(model, trials, tmp_path):
    extract_trials(Config(model, trials, tmp_path / "out", device="cpu"))
    facts = json.loads((tmp_path / "out" / "extraction.json").read_text())
    network = build_extractor(ExtractorSpec("spex_plus", OPTIONS, 8000, 3))
    assert facts["num_parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert (facts["num_trials"], facts["num_timed"], facts["seconds"], facts["fs"]) == (8, 8, 8.0, 8000)
    assert (facts["embedding_dim"], facts["device"], facts["num_processes"]) == (6, "cpu", 1)
    assert facts["num_threads"] == torch.get_num_threads() and facts["peak_memory_of"] == "process"
    notes = read_notes(tmp_path / "out")
    assert facts["real_time_factor"] == pytest.approx(sum(note.compute_s for note in notes.values()) / 8)
    assert 0 < facts["real_time_factor"] < 10 and facts["peak_memory_mib"] > 50
    # The encoder alone: 3 scales of 12 filters, 800 frames a second.
    assert facts["macs_per_second"] > 800 * 12 * (20 + 80 + 160)


def test_two_processes_give_what_one_gives(model, trials, tmp_path):
    extract_trials(Config(model, trials, tmp_path / "one", device="cpu"))
    extract_trials(Config(model, trials, tmp_path / "two", device="cpu", nj=2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    facts = json.loads((tmp_path / "two" / "extraction.json").read_text())
    assert (facts["num_processes"], facts["num_threads"]) == (2, 1)


def test_finished_files_are_kept_and_missing_ones_made(model, trials, tmp_path, capsys):
    out = tmp_path / "out"
    extract_trials(Config(model, trials, out, device="cpu"))
    before = contents(out)
    facts = json.loads((out / "extraction.json").read_text())
    kept = out / "wav" / "ann-m2.wav"
    times = os.stat(kept).st_mtime_ns
    (out / "wav" / "ann-m1.wav").unlink()
    write_audio(out / "wav" / "bob-m1.wav", np.zeros(10), FS)  # of another length
    capsys.readouterr()
    extract_trials(Config(model, trials, out, device="cpu"))
    assert "8 trials in, 2 extracted, 6 already there" in capsys.readouterr().out
    assert contents(out) == before and os.stat(kept).st_mtime_ns == times
    assert json.loads((out / "extraction.json").read_text())["num_timed"] == 2
    extract_trials(Config(model, trials, out, device="cpu"))
    assert json.loads((out / "extraction.json").read_text())["num_timed"] == 2  # nothing new to time
    assert facts["num_timed"] == 8


def test_a_killed_run_goes_on_where_it_stopped(model, trials, tmp_path, monkeypatch, capsys):
    out, write = tmp_path / "out", module.write_audio

    def killed_at_the_fourth(path, *given):
        if len(list((out / "wav").glob("*.wav"))) == 3:
            raise KeyboardInterrupt
        write(path, *given)

    monkeypatch.setattr(module, "write_audio", killed_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        extract_trials(Config(model, trials, out, device="cpu"))
    assert not (out / "wav.scp").exists()
    monkeypatch.setattr(module, "write_audio", write)
    extract_trials(Config(model, trials, out, device="cpu"))
    assert "8 trials in, 5 extracted, 3 already there" in capsys.readouterr().out
    extract_trials(Config(model, trials, tmp_path / "other", device="cpu"))
    assert contents(out) == contents(tmp_path / "other")


def test_what_another_model_extracted_is_replaced(model, trials, tmp_path):
    extract_trials(Config(model, trials, tmp_path / "out", device="cpu"))
    before = contents(tmp_path / "out")
    other = write_model(tmp_path / "m", seed=1)
    extract_trials(Config(other, trials, tmp_path / "out", device="cpu"))
    assert all(before[name] != content for name, content in contents(tmp_path / "out").items())
    assert not (tmp_path / "out" / "presence").exists()  # the other is not calibrated


def test_a_new_calibration_scores_anew_without_extracting_anew(model, trials, tmp_path, capsys):
    copy = write_model(tmp_path / "m", presence=PRESENCE)
    extract_trials(Config(copy, trials, tmp_path / "out", device="cpu"))
    spec = ExtractorSpec("spex_plus", OPTIONS, 8000, 3, presence=PRESENCE | {"bias": 3.0})
    (copy / "model.yaml").write_text(dump_config(spec))
    before = read_table(tmp_path / "out" / "presence")
    extract_trials(Config(copy, trials, tmp_path / "out", device="cpu"))
    assert "0 extracted, 8 already there" in capsys.readouterr().out
    after = read_table(tmp_path / "out" / "presence")
    assert all(float(after[trial]) > float(before[trial]) for trial in before)


def test_only_mixtures_of_one_length_share_a_batch():
    lengths = [5, 9, 5, 5, 9, 7]
    trials = [module.Trial(str(index), "", "", length, None) for index, length in enumerate(lengths)]
    batches = [[trial.id for trial in batch] for batch in module._batches(trials, 2)]
    assert batches == [["1", "4"], ["5"], ["0", "2"], ["3"]]


def test_an_output_without_embedding_counts_as_unlike():
    model = Calibration.of(PRESENCE)
    notes = [TrialNote("a", [-80.0], [cosine], None, -20.0, -23.0, 1.0, 0.1) for cosine in (None, 0.0)]
    assert presence_of(notes[0], model) == presence_of(notes[1], model) < 0.01


@pytest.mark.parametrize("table", ["wav.scp", "enroll_spk1.scp"])
def test_audio_of_another_rate_names_the_trial(model, trials, tmp_path, table):
    write_audio(tmp_path / "cd.wav", np.ones(FS) / 2, 16000)
    write_table(trials / table, read_table(trials / table) | {"cat-m2": str(tmp_path / "cd.wav")})
    with pytest.raises(AudioError, match=r"cat-m2: .*cd\.wav: expected 8000 Hz, found 16000 Hz; resample it first"):
        extract_trials(Config(model, trials, tmp_path / "out", device="cpu"))


def test_an_enrollment_too_short_names_the_trial(model, trials, tmp_path):
    write_audio(tmp_path / "short.wav", np.ones(100) / 2, FS)
    scp = trials / "enroll_spk1.scp"
    write_table(scp, read_table(scp) | {"cat-m2": str(tmp_path / "short.wav")})
    with pytest.raises(AudioError, match="cat-m2: enrollment: too short for an enrollment: expected at least 35 ms"):
        extract_trials(Config(model, trials, tmp_path / "out", device="cpu"))


def test_a_trial_without_enrollment_is_named(model, trials, tmp_path):
    table = read_table(trials / "enroll_spk1.scp")
    del table["cat-m2"]
    write_table(trials / "enroll_spk1.scp", table)
    with pytest.raises(DataDirError, match=r"enroll_spk1\.scp: no line for trial 'cat-m2'"):
        extract_trials(Config(model, trials, tmp_path / "out", device="cpu"))


@pytest.mark.parametrize("options", [{"nj": 0}, {"batch_size": 0}])
def test_settings_out_of_their_range_are_refused(model, trials, tmp_path, options):
    with pytest.raises(ConfigError, match="expected nj and batch_size of 1 or more"):
        extract_trials(Config(model, trials, tmp_path / "out", device="cpu", **options))


def test_a_process_that_is_killed_keeps_what_is_finished(model, trials, tmp_path, monkeypatch):
    write = module.write_audio

    def die_at(path, *given):
        if path.stem == "dan-m4":
            os.kill(os.getpid(), 9)
        write(path, *given)

    monkeypatch.setattr(module, "write_audio", die_at)
    with pytest.raises(JobError, match="a process was killed"):
        extract_trials(Config(model, trials, tmp_path / "out", device="cpu", nj=2))
    kept = set(read_notes(tmp_path / "out"))
    assert "dan-m4" not in kept and all(audio_info(tmp_path / "out" / "wav" / f"{trial}.wav") for trial in kept)
