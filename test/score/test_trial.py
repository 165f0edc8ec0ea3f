"""Tests of measuring one trial, against figures worked by hand."""

import dataclasses

import numpy as np
import pytest
from support.made_up_trials import FS, MIXTURE_SI_SDR, tone, write_outputs

from zspex_toolkit.errors import AudioError, DataDirError
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.table import read_table
from zspex_toolkit.score.trial import Job, Measures, active_frames, energy_left_db, overlap, score_trial, snr_db
from zspex_toolkit.score.trials import read_trial_list

MEASURES = Measures(("si_sdr",), FS)


def nearly_clean(trial, target, rest):
    """A tenth of the interferer's amplitude is left."""
    return target + 0.1 * rest


def score(trial_dir, name, make=None, outputs=None, measures=MEASURES, mixture_values=None):
    """One trial; of the mixture itself, of ``outputs``, or of those that ``make`` gives."""
    outputs = write_outputs(trial_dir.parent / "out", trial_dir, make) if make else outputs
    (trial,) = (trial for trial in read_trial_list(trial_dir) if trial.id == name)
    output = read_table(outputs / "wav.scp")[name] if outputs else None
    return score_trial(measures, Job(trial, output, 0.75, mixture_values or {}))


@pytest.mark.parametrize("name", MIXTURE_SI_SDR)
def test_the_mixture_has_the_ratio_of_its_orthogonal_sources(trial_dir, name):
    row, faults = score(trial_dir, name)
    assert row["si_sdr"] == row["si_sdr_mixture"] == pytest.approx(MIXTURE_SI_SDR[name], abs=0.01)
    assert (row["si_sdri"], faults) == (0.0, [])


def test_a_trial_is_described_by_its_files(trial_dir):
    row, _ = score(trial_dir, "ann-m1")
    assert (row["seconds"], row["enrollment_seconds"], row["presence"]) == (1.0, 3.0, 0.75)
    assert (row["pair"], row["target_gender"], row["interferer_gender"]) == ("different", "female", "male")
    assert row["snr_db"] == pytest.approx(0, abs=0.01)  # where both sound they are equally loud
    assert row["overlap"] == pytest.approx(0.5, abs=0.02)  # bob is silent for the first half
    assert score(trial_dir, "bob-m1").row["overlap"] == 1.0
    assert score(trial_dir, "cat-m2").row["snr_db"] == pytest.approx(-6.0206, abs=0.01)


def test_an_interferer_at_a_tenth_of_its_amplitude_gains_twenty_decibels(trial_dir):
    row, faults = score(trial_dir, "cat-m2", lambda _, target, rest: -0.5 * (target + 0.1 * rest))
    assert row["si_sdr"] == pytest.approx(20 - 6.0206, abs=0.02)
    assert row["si_sdri"] == pytest.approx(20, abs=0.02)
    assert row["si_sdr_interferer"] == pytest.approx(6.0206 - 20, abs=0.02)
    assert faults == []


def test_the_other_speaker_in_the_output_is_nearer_to_the_interferer(trial_dir):
    row, _ = score(trial_dir, "dan-m3", lambda _, target, rest: 0.1 * target + rest)
    assert row["si_sdr"] == pytest.approx(-20, abs=0.02)
    assert row["si_sdr_interferer"] == pytest.approx(20, abs=0.02)


def test_of_two_interferers_the_sum_counts_for_the_level_and_the_nearer_one_for_the_confusion(trial_dir, tmp_path):
    # cat is 6.02 dB below ann; with a third tone as loud as ann's, the two others are 3.01 dB louder together.
    (trial,) = (trial for trial in read_trial_list(trial_dir) if trial.id == "cat-m2")
    mixture, _ = read_audio(trial.mixture, fs=FS)
    third = tone("dan")
    write_audio(tmp_path / "third.wav", third, FS)
    write_audio(tmp_path / "mixture.wav", mixture + third, FS)
    write_audio(tmp_path / "output.wav", 0.1 * mixture + third, FS)
    trial = dataclasses.replace(
        trial, mixture=str(tmp_path / "mixture.wav"), more_interferers=(str(tmp_path / "third.wav"),)
    )
    row, faults = score_trial(MEASURES, Job(trial, str(tmp_path / "output.wav"), None, {}))
    assert row["snr_db"] == pytest.approx(-6.0206 - 3.0103, abs=0.01) == pytest.approx(row["si_sdr_mixture"], abs=0.01)
    assert row["si_sdr_interferer"] == pytest.approx(20 - 10 * np.log10(1.25), abs=0.02)  # of ann's and cat's tenths
    assert faults == []


def test_measures_of_the_mixture_that_are_known_are_not_made_again(trial_dir):
    row, _ = score(trial_dir, "bob-m3", nearly_clean, mixture_values={"si_sdr": 0.0078})  # 0 and a rounding
    assert row["si_sdr_mixture"] == 0.0078
    assert row["si_sdri"] == pytest.approx(20, abs=0.02)


def test_measures_that_cannot_be_of_this_mixture_are_refused(trial_dir):
    with pytest.raises(
        DataDirError, match=r"bob-m3: SI-SDR of the mixture is -?0\.00 dB, not 5\.00 dB as scored before"
    ):
        score(trial_dir, "bob-m3", nearly_clean, mixture_values={"si_sdr": 5.0})


def test_of_an_absent_target_only_the_energy_left_is_measured(trial_dir):
    row, faults = score(trial_dir, "dan-m4", lambda _, target, rest: 0.01 * rest)
    assert row["energy_left_db"] == pytest.approx(-40, abs=0.05)
    assert "si_sdr" not in row and row["snr_db"] is None and row["overlap"] is None
    assert faults == []


def test_a_target_alone_has_a_ratio_but_no_improvement(trial_dir):
    row, faults = score(trial_dir, "cat-m5", lambda _, target, rest: target + 0.03 * np.cos(np.arange(FS)))
    assert row["si_sdr"] == pytest.approx(20, abs=0.1)
    assert "si_sdri" not in row and row["interferer"] is None
    assert faults == []


def test_a_target_alone_that_is_left_as_it_is_has_no_ratio(trial_dir):
    row, faults = score(trial_dir, "cat-m5", measures=Measures(("si_sdr", "sdr", "stoi"), FS))
    assert not {"si_sdr", "sdr", "stoi"} & set(row)
    assert (row["energy_left_db"], faults) == (0.0, [])


def test_a_silent_output_has_no_ratio_and_is_named(trial_dir, tmp_path):
    outputs = write_outputs(tmp_path / "out", trial_dir, lambda _, target, rest: np.zeros(FS))
    row, faults = score(trial_dir, "ann-m1", outputs=outputs)
    assert row["silent"] is True and "si_sdr" not in row
    assert faults == ["ann-m1: the output is silent"]
    assert score(trial_dir, "dan-m4", outputs=outputs).faults == []  # just what was asked for


def test_a_measure_that_fails_is_named_and_the_others_stay(trial_dir, monkeypatch):
    def fails(estimate, reference, *, fs):
        raise ValueError("no utterances detected")

    monkeypatch.setattr("zspex_toolkit.metrics.speech.stoi.stoi", fails)
    row, faults = score(trial_dir, "ann-m2", nearly_clean, measures=Measures(("si_sdr", "stoi"), FS))
    assert row["si_sdri"] == pytest.approx(20, abs=0.02)
    assert (row["stoi"], row["stoi_mixture"], row["stoii"]) == (None, None, None)
    assert faults == [
        "ann-m2: stoi: no utterances detected",
        "ann-m2: stoi of the mixture: no utterances detected",
    ]


def test_an_output_of_another_length_is_an_error(trial_dir):
    with pytest.raises(
        AudioError, match=r"ann-m1: .*out/ann-m1.wav: expected 8000 samples, as the mixture has, found 7"
    ):
        score(trial_dir, "ann-m1", lambda _, target, rest: target[:-3])


def test_an_output_at_another_rate_is_an_error(trial_dir, tmp_path):
    outputs = write_outputs(tmp_path / "out", trial_dir, lambda _, target, rest: target)
    write_audio(outputs / "ann-m1.wav", np.zeros(FS), 16000)
    with pytest.raises(AudioError, match=r"ann-m1: .*expected 8000 Hz, found 16000 Hz"):
        score(trial_dir, "ann-m1", outputs=outputs)


def test_an_enrollment_at_another_rate_is_an_error(trial_dir, tmp_path):
    write_audio(tmp_path / "audio" / "enroll-bob.wav", np.zeros(FS), 16000)
    with pytest.raises(AudioError, match=r"bob-m1: .*enroll-bob.wav: expected 8000 Hz, as the mixture, found 16000 Hz"):
        score(trial_dir, "bob-m1")
    (tmp_path / "audio" / "enroll-bob.wav").unlink()
    with pytest.raises(AudioError, match=r"bob-m1: .*enroll-bob.wav: no such file"):
        score(trial_dir, "bob-m1")


def test_a_missing_output_is_named(trial_dir, tmp_path):
    outputs = write_outputs(tmp_path / "out", trial_dir, lambda _, target, rest: target)
    (outputs / "ann-m1.wav").unlink()
    with pytest.raises(AudioError, match=r"ann-m1: .*out/ann-m1.wav: no such file"):
        score(trial_dir, "ann-m1", outputs=outputs)


RNG = np.random.default_rng(0)


def test_the_ratio_is_taken_where_both_sources_reach():
    # Padded to the longest: the target of power 4 sounds over the first half, the interferer of power 1 everywhere.
    target = np.concatenate([np.tile([2.0, -2.0], 500), np.zeros(1000)])
    assert snr_db(target, np.tile([1.0, -1.0], 1000)) == pytest.approx(10 * np.log10(4))
    # A pause within a source is part of it.
    interferer = np.concatenate([np.ones(500), np.zeros(500), np.ones(1000)])
    assert snr_db(target, interferer) == pytest.approx(10 * np.log10(4 / 0.5))


def test_sources_that_do_not_meet_are_compared_as_wholes():
    first, second = np.zeros(100), np.zeros(100)
    first[:40], second[40:] = 2.0, 1.0
    assert snr_db(first, second) == pytest.approx(10 * np.log10(4 * 40 / 60))


def test_silence_has_no_ratio_and_no_overlap():
    assert snr_db(np.zeros(10), np.ones(10)) is None
    assert snr_db(np.ones(10), np.zeros(10)) is None
    assert overlap(np.zeros(FS), np.ones(FS), FS) is None
    assert overlap(np.ones(FS), np.zeros(FS), FS) == 0.0


def test_half_of_the_target_is_overlapped():
    target, interferer = RNG.standard_normal(FS), RNG.standard_normal(FS)
    interferer[: FS // 2] = 0
    assert overlap(target, interferer, FS) == 0.5
    assert overlap(interferer, target, FS) == 1.0  # seen from the other


def test_pauses_of_the_target_do_not_count():
    target, interferer = RNG.standard_normal(FS), RNG.standard_normal(FS)
    target[: FS // 2] *= 0.001  # 60 dB below
    interferer[:6080] = 0  # 12 of the 25 frames that are left overlap
    assert overlap(target, interferer, FS) == 12 / 25


def test_energy_left_of_a_tenth_of_the_amplitude_is_minus_twenty_decibels():
    mixture = RNG.standard_normal(FS)
    assert energy_left_db(-0.1 * mixture, mixture) == pytest.approx(-20)
    assert energy_left_db(np.zeros(FS), mixture) == -100.0
    assert energy_left_db(1e-9 * mixture, mixture) == -100.0
    assert energy_left_db(np.zeros(FS), np.zeros(FS)) == 0.0


def test_frames_less_than_forty_decibels_below_the_loudest_sound():
    levels = 10.0 ** (-np.array([0, 39, 41, 60]) / 20)
    samples = np.repeat(levels, 160) * np.tile([1.0, -1.0], 320)
    assert active_frames(samples, 8000).tolist() == [True, True, False, False]
    assert active_frames(0.001 * samples, 8000).tolist() == [True, True, False, False]


def test_the_last_frame_may_be_short():
    assert active_frames(np.ones(321), 8000).tolist() == [True, True, True]


def test_silence_and_nothing_have_no_active_frame():
    assert not active_frames(np.zeros(1000), 8000).any()
    assert active_frames(np.zeros(0), 8000).tolist() == []
