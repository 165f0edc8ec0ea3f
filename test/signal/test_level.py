import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.signal.level import active_power, gain_for_snr, power


def test_the_power_of_a_full_scale_sine_is_a_half():
    assert power(np.sin(2 * np.pi * np.arange(1600) / 16)) == pytest.approx(0.5)


def test_the_power_of_nothing_is_zero():
    assert power(np.zeros(0)) == 0.0


def test_the_power_of_an_hour_of_float32_is_exact_enough():
    assert power(np.full(57_600_000, 0.1, dtype=np.float32)) == pytest.approx(0.01, rel=1e-7)


def test_six_decibels_below_an_equal_level_is_half_the_amplitude():
    assert gain_for_snr(1.0, 1.0, 20 * np.log10(2)) == pytest.approx(0.5)


@given(st.floats(-40, 40), st.integers(0, 100))
def test_the_ratio_after_the_gain_is_what_was_asked(snr_db, seed):
    rng = np.random.default_rng(seed)
    target, interferer = rng.normal(0, 0.1, 500), rng.normal(0, 0.01, 500)
    gain = gain_for_snr(power(target), power(interferer), snr_db)
    assert 10 * np.log10(power(target) / power(gain * interferer)) == pytest.approx(snr_db, abs=1e-9)


@pytest.mark.parametrize(
    ("target_power", "interferer_power", "snr_db", "message"),
    [
        (0.0, 1.0, 0, "target is silent: no gain gives an SNR of 0 dB"),
        (1.0, 0.0, 5, "interferer is silent: no gain gives an SNR of 5 dB"),
        (1.0, 1.0, np.inf, "snr_db: expected a finite number of dB, got inf"),
        (1.0, 1.0, np.nan, "snr_db: expected a finite number of dB, got nan"),
    ],
)
def test_a_ratio_that_no_gain_can_give_is_refused(target_power, interferer_power, snr_db, message):
    with pytest.raises(ValueError, match=message):
        gain_for_snr(target_power, interferer_power, snr_db)


def test_active_power_weighs_each_frame_by_its_energy():
    # Frames of 4: powers 1 and 9, so (1 * 1 + 9 * 9) / (1 + 9).
    loud_and_louder = np.repeat([1.0, 3.0], 4)[:, None]
    assert active_power([loud_and_louder], 4) == pytest.approx(8.2)
    assert active_power([loud_and_louder[:4], loud_and_louder[4:]], 4) == pytest.approx(8.2)


def test_active_power_of_a_block_that_ends_within_a_frame_counts_its_samples():
    assert active_power([np.full((10, 2), 0.5)], 4) == pytest.approx(0.25)


def test_active_power_of_silence_is_zero():
    assert active_power([np.zeros((10, 1))], 4) == active_power([], 4) == 0
