"""The presence score is fitted to what is known, and written where inference finds it."""

import dataclasses

import numpy as np
import pytest
from support.made_up_trials import make_trials
from support.tiny_model import write_model

from zspex_toolkit.errors import UserError
from zspex_toolkit.extract import calibrate_presence as module
from zspex_toolkit.extract.calibrate_presence import Config, calibrate_presence, fit_presence
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.notes import TrialNote
from zspex_toolkit.io.table import read_table


def made_up_notes(num_present, num_absent, seed=0):
    """Present: -2 dB and a cosine of 0.7 on average; absent: -12 dB and 0.3; both spread."""
    rng = np.random.default_rng(seed)
    notes, present = {}, {}
    for index in range(num_present + num_absent):
        trial, there = f"t{index:04d}", index < num_present
        energy, cosine = rng.normal(-2 if there else -12, 3), rng.normal(0.7 if there else 0.3, 0.15)
        notes[trial] = TrialNote(
            trial, [energy], [cosine], -2.5 if there else 40.0, -20.0 - index % 100 / 10, -25.0, 4.0, 0.1
        )
        present[trial] = there
    return notes, present


def test_the_point_of_equal_odds_lies_midway_whatever_the_shares():
    # By symmetry it is at the mean of the two means: -7 dB and 0.5.
    for shares in ((600, 600), (1000, 100)):
        model = fit_presence(*made_up_notes(*shares))
        assert model.energy_db > 0 and model.cosine > 0
        assert model.probability(-7.0, 0.5) == pytest.approx(0.5, abs=0.2)
        assert model.probability(-2.0, 0.7) > 0.95 and model.probability(-12.0, 0.3) < 0.05


def test_a_network_that_cannot_tell_who_speaks_is_calibrated_by_its_energy_alone():
    notes, present = made_up_notes(300, 300)
    deaf = {trial: dataclasses.replace(note, likeness=[None]) for trial, note in notes.items()}
    model = fit_presence(deaf, present)
    assert model.cosine == 0 and model.probability(-2.0, np.nan) > 0.8 and model.probability(-12.0, np.nan) < 0.2
    assert model.probability(-7.0, np.nan) == pytest.approx(0.5, abs=0.1)


def test_of_several_chunks_the_loudest_counts():
    notes, present = made_up_notes(20, 30)
    longer = {
        trial: dataclasses.replace(note, energy_db=[-60.0, *note.energy_db], likeness=[0.9, *note.likeness])
        for trial, note in notes.items()
    }
    assert fit_presence(longer, present) == fit_presence(notes, present)


def test_the_usual_gain_is_the_median_size_where_the_speaker_is():
    assert fit_presence(*made_up_notes(20, 30)).usual_gain == 2.5


def test_the_levels_it_knows_are_those_of_the_trials_without_the_outliers():
    notes, present = made_up_notes(50, 50)  # mixtures of -20 to -29.9 dB, all enrollments at -25
    notes["t0000"] = dataclasses.replace(notes["t0000"], mixture_db=-90.0, enrollment_db=None)
    model = fit_presence(notes, present)
    assert model.quietest_db == pytest.approx(-29.6, abs=0.3) and model.loudest_db == pytest.approx(-20.4, abs=0.3)


def test_fitting_again_changes_nothing(tmp_path, monkeypatch, capsys):
    trials, model = make_trials(tmp_path), write_model(tmp_path / "m")
    monkeypatch.setattr(module, "_FEWEST", 1)
    calibrate_presence(Config(model, trials, device="cpu"))
    first = (model / "model.yaml").read_text()
    capsys.readouterr()
    calibrate_presence(Config(model, trials, device="cpu"))
    assert (model / "model.yaml").read_text() == first
    assert "0 extracted, 8 already there" in capsys.readouterr().out


def test_a_network_that_is_silent_everywhere_cannot_be_calibrated():
    notes = {trial: TrialNote(trial, [-80.0], [None], None, -20.0, -23.0, 4.0, 0.1) for trial in "abcdefgh"}
    with pytest.raises(
        UserError, match="the network's output is silent on every trial with the speaker; train it first"
    ):
        fit_presence(notes, {trial: trial < "e" for trial in notes})


def test_coefficients_are_written_into_the_model_and_used(tmp_path, monkeypatch, capsys):
    trials, model = make_trials(tmp_path), write_model(tmp_path / "m")
    monkeypatch.setattr(module, "_FEWEST", 1)  # the made-up trials have one without the speaker
    fitted = calibrate_presence(Config(model, trials, device="cpu"))
    assert Extractor.load(model, device="cpu").calibration == fitted
    assert read_table(model / "extracted" / "test" / "wav.scp").keys() == read_table(trials / "wav.scp").keys()
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(f"{model}: presence score fitted to 8 trials; at 0.5, on these, it misses the speaker in ")
    assert said.endswith(" of 1 without")


def test_too_few_trials_of_a_kind_are_refused_before_anything_is_extracted(tmp_path):
    trials, model = make_trials(tmp_path), write_model(tmp_path / "m")
    message = (
        r"utt2condition: expected at least 5 trials with and 5 without the enrolled speaker \(absent\), found 7 and 1"
    )
    with pytest.raises(UserError, match=message):
        calibrate_presence(Config(model, trials, device="cpu"))
    assert not (model / "extracted").exists()
