"""Stored trials come out as they were rendered, cut where asked, each with who is asked for."""

import numpy as np
import pytest

from zspex_toolkit.data.extraction_trials import StoredTrials
from zspex_toolkit.data.trial_rows import NO_SPEAKER
from zspex_toolkit.errors import AudioError, DataDirError
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.write import write_data_dir


@pytest.fixture
def trials(tmp_path):
    """Three trials at 8 kHz: ann-1 is present, ann-2 alone, bob-1 absent; of 1, 2 and 3 tenths of a second."""
    names = {"wav.scp": "wav", "spk1.scp": "spk1", "enroll_spk1.scp": "enroll"}
    tables = {name: {} for name in names}
    for number, trial in enumerate(("ann-1", "ann-2", "bob-1"), start=1):
        for seed, (table, folder) in enumerate(names.items()):
            samples = np.random.default_rng(10 * number + seed).uniform(-0.5, 0.5, 800 * number)
            if (trial, folder) == ("bob-1", "spk1"):
                samples = np.zeros(2400)
            write_audio(tmp_path / folder / f"{trial}.wav", samples, 8000)
            tables[table][trial] = str(tmp_path / folder / f"{trial}.wav")
    tables["utt2condition"] = {"ann-1": "present", "ann-2": "single", "bob-1": "absent"}
    write_data_dir(
        tmp_path / "trials", wavs=tables.pop("wav.scp"), utt2spk={t: t[:3] for t in tables["spk1.scp"]}, tables=tables
    )
    return tmp_path / "trials"


def test_a_row_has_the_audio_of_its_trial(trials):
    row = StoredTrials(trials, 8000).get(7, 0)
    for name, folder in (("mixture", "wav"), ("target", "spk1"), ("enrollment", "enroll")):
        assert np.array_equal(getattr(row, name), read_audio(trials.parent / folder / "ann-1.wav")[0])


def test_conditions_and_known_speakers_are_told(trials):
    stored = StoredTrials(trials, 8000, classes={"ann": 4})
    batch = stored.collate([stored.get(0, index) for index in range(3)])
    assert batch["ids"] == ["ann-1", "ann-2", "bob-1"]
    assert batch["speaker"].tolist() == [4, 4, NO_SPEAKER]
    assert batch["present"].tolist() == [True, True, False] and batch["alone"].tolist() == [False, True, False]
    assert batch["num_samples"].tolist() == [800, 1600, 2400] == batch["enrollment_length"].tolist()


def add_others(trials, *names):
    """Give the trial directory the tables of those who are not asked for: everyone's sound is in ``spk<N>``."""
    for name, table in (("spk2", ("ann-1", "bob-1")), ("spk3", ("bob-1",))):
        if name in names:
            for trial in table:
                num_samples = {"ann-1": 800, "bob-1": 2400}[trial]
                write_audio(trials.parent / name / f"{trial}.wav", np.full(num_samples, int(name[-1]) / 8), 8000)
            lines = (f"{trial} {trials.parent / name / trial}.wav\n" for trial in table)
            (trials / f"{name}.scp").write_text("".join(lines))


def test_all_speech_is_there_without_the_silence_of_an_absent_speaker(trials):
    add_others(trials, "spk2", "spk3")
    stored = StoredTrials(trials, 8000, max_seconds=0.2)
    rows = [stored.get(0, index) for index in range(3)]
    assert [len(row.sources) for row in rows] == [2, 1, 2]
    assert np.array_equal(rows[0].sources[0], rows[0].target) and (rows[0].sources[1] == 0.25).all()
    assert [source[0] for source in rows[2].sources] == [0.25, 0.375]
    batch = stored.collate(rows)
    assert batch["sources"].shape == (3, 2, 1600) == (3, 2, batch["mixture"].shape[1])
    assert batch["sources"].any(2).tolist() == [[True, True], [True, False], [True, True]]


def test_no_row_has_sources_where_one_mixtures_are_missing(trials):
    assert all(StoredTrials(trials, 8000).get(0, index).sources is None for index in range(3))
    add_others(trials, "spk2")
    assert all(StoredTrials(trials, 8000).get(0, index).sources is not None for index in range(3))
    (trials / "spk2.scp").write_text((trials / "spk2.scp").read_text().splitlines(keepends=True)[0])
    stored = StoredTrials(trials, 8000)
    assert "sources" not in stored.collate([stored.get(0, index) for index in range(3)])


def test_a_target_that_begins_behind_the_part_in_use_is_absent(trials):
    write_audio(trials.parent / "spk1" / "ann-2.wav", np.r_[np.zeros(1000), np.full(600, 0.5)], 8000)
    for max_seconds, present in ((0.0, True), (0.15, True), (0.1, False)):
        row = StoredTrials(trials, 8000, max_seconds=max_seconds).get(0, 1)
        assert (row.present, row.alone) == (present, present)


def test_a_target_whose_interferer_begins_behind_the_part_in_use_is_alone(trials):
    write_audio(trials.parent / "spk1" / "ann-1.wav", np.full(800, 0.5), 8000)
    mixture = np.r_[np.full(400, 0.5), np.full(400, 0.75)]
    (trials.parent / "late").mkdir()
    write_audio(trials.parent / "late" / "ann-1.wav", mixture, 8000)
    lines = (trials / "wav.scp").read_text().splitlines()
    lines[0] = f"ann-1 {trials.parent / 'late' / 'ann-1.wav'}"
    (trials / "wav.scp").write_text("\n".join(lines) + "\n")
    for max_seconds, alone in ((0.0, False), (0.1, False), (0.05, True)):
        row = StoredTrials(trials, 8000, max_seconds=max_seconds).get(0, 0)
        assert (row.present, row.alone) == (True, alone)


def test_beginnings_alone_may_be_used(trials):
    stored = StoredTrials(trials, 8000, max_seconds=0.15, max_enrollment_seconds=0.05)
    rows = [stored.get(0, index) for index in range(3)]
    assert [len(row.mixture) for row in rows] == [800, 1200, 1200] == [len(row.target) for row in rows]
    assert [len(row.enrollment) for row in rows] == [400] * 3
    assert [stored.size(index) for index in range(3)] == [1200, 1600, 1600]


def test_without_conditions_all_are_present(trials):
    (trials / "utt2condition").unlink()
    assert all(StoredTrials(trials, 8000).get(0, index).present for index in range(3))


@pytest.mark.parametrize("name", ["wav.scp", "spk1.scp", "enroll_spk1.scp"])
def test_a_trial_that_lacks_a_signal_is_named(trials, name):
    lines = (trials / name).read_text().splitlines(keepends=True)
    (trials / name).write_text("".join(lines[:2]))
    with pytest.raises(DataDirError, match=rf"{name}: no line for trial 'bob-1'"):
        StoredTrials(trials, 8000)


def test_another_rate_is_refused_with_both_numbers(trials):
    with pytest.raises(AudioError, match=r"ann-1: .* expected 16000 Hz, found 8000 Hz"):
        StoredTrials(trials, 16000).get(0, 0)


def test_a_reference_of_another_length_is_named(trials):
    write_audio(trials.parent / "spk1" / "ann-1.wav", np.ones(799) / 2, 8000)
    with pytest.raises(DataDirError, match="ann-1: expected 800 samples of reference, as mixture, found 799"):
        StoredTrials(trials, 8000).get(0, 0)
