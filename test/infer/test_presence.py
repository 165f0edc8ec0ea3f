"""The presence score: two numbers, one logistic function, and coefficients that have to be whole."""

import numpy as np
import pytest

from zspex_toolkit.errors import UserError
from zspex_toolkit.infer.presence import PresenceModel, energy_db

STORED = {"bias": 1.0, "energy_db": 0.25, "cosine": 4.0, "usual_gain": 2.0}


def test_the_score_is_the_logistic_of_the_weighted_sum():
    model = PresenceModel.of(STORED)
    odds = np.log(0.8 / 0.2)  # 1 + 0.25 * -8 + 4 * cosine
    assert model.probability(-8.0, (odds + 1) / 4) == pytest.approx(0.8)
    assert np.isnan(model.probability(-8.0, np.nan))


def test_coefficients_come_back_as_they_were_stored():
    assert PresenceModel.of(STORED).stored() == STORED
    assert PresenceModel.of(None) is None


@pytest.mark.parametrize(
    "change", [{"bias": float("nan")}, {"cosine": "high"}, {"extra": 1.0}, {"usual_gain": 0.0}, {"usual_gain": None}]
)
def test_broken_coefficients_are_refused(change):
    with pytest.raises(
        UserError, match=r"m/model\.yaml: presence: expected numbers for bias, cosine, energy_db, usual"
    ):
        PresenceModel.of(STORED | change, "m/model.yaml")


def test_an_energy_in_db_has_its_ends_at_80():
    assert energy_db(np.array([0.0, 1e30, 2.0]), np.array([1.0, 1e-30, 0.2])).tolist() == [-80, 80, 10]
