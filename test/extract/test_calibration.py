"""The presence score: two numbers, one logistic function, and coefficients that have to be whole."""

import numpy as np
import pytest

from zspex_toolkit.errors import UserError
from zspex_toolkit.extract.calibration import Calibration, energy_db

STORED = {"bias": 1.0, "energy_db": 0.25, "cosine": 4.0, "usual_gain": 2.0, "quietest_db": -60.0, "loudest_db": 0.0}


def test_the_score_is_the_logistic_of_the_weighted_sum():
    model = Calibration.of(STORED)
    odds = np.log(0.8 / 0.2)  # 1 + 0.25 * -8 + 4 * cosine
    assert model.probability(-8.0, (odds + 1) / 4) == pytest.approx(0.8)
    assert np.isnan(model.probability(-8.0, np.nan))


def test_coefficients_come_back_as_they_were_stored():
    assert Calibration.of(STORED).stored() == STORED
    assert Calibration.of(None) is None


@pytest.mark.parametrize(
    "change",
    [
        {"bias": float("nan")},
        {"cosine": "high"},
        {"extra": 1.0},
        {"usual_gain": 0.0},
        {"usual_gain": None},
        {"loudest_db": -61.0},
    ],
)
def test_broken_coefficients_are_refused(change):
    with pytest.raises(
        UserError, match=r"m/model\.yaml: presence: expected numbers for bias, cosine, energy_db, loudest_db, quiet"
    ):
        Calibration.of(STORED | change, "m/model.yaml")


@pytest.mark.parametrize(("level_db", "gain_db"), [(-75.0, 15.0), (-30.0, 0.0), (6.0, -6.0)])
def test_a_level_is_brought_to_the_nearest_end_of_the_range(level_db, gain_db):
    gain = Calibration.of(STORED).input_gain(10 ** (level_db / 10))
    assert 20 * np.log10(gain) == pytest.approx(gain_db, abs=1e-9)


def test_silence_is_left_as_it_is():
    assert Calibration.of(STORED).input_gain(0.0) == 1


def test_an_energy_in_db_has_its_ends_at_80():
    assert energy_db(np.array([0.0, 1e30, 2.0]), np.array([1.0, 1e-30, 0.2])).tolist() == [-80, 80, 10]
