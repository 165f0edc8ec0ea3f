"""Gains put level and polarity of the chunks right, and leave a chunk without speech as quiet as it is."""

import numpy as np
import pytest

from zspex_toolkit.signal.chunk_gains import ChunkEnergies, chunk_gains

OVERLAP = 50


def energies(mixtures, estimates):
    """What a separation measures of lists of chunks (T,)."""
    rows, tail = [], None
    for mixture, estimate in zip(mixtures, estimates, strict=True):
        head = np.zeros(OVERLAP) if tail is None else estimate[:OVERLAP]
        tail = np.zeros(OVERLAP) if tail is None else tail
        rows.append([mixture @ mixture, estimate @ estimate, mixture @ estimate, tail @ tail, head @ head, tail @ head])
        tail = estimate[-OVERLAP:]
    return ChunkEnergies(*np.array(rows, float).T)


def recording(num_chunks, seed=0):
    """Chunks of 300 samples of a target and of an interferer as loud; neighbours share 50 samples."""
    rng = np.random.default_rng(seed)
    target, interferer = rng.normal(size=(2, 250 * num_chunks + OVERLAP))
    cut = lambda signal: [signal[250 * index :][:300] for index in range(num_chunks)]  # noqa: E731
    return cut(target), cut(target + interferer)


def test_one_chunk_is_projected_exactly():
    mixture, estimate = np.array([3.0, 1.0, 2.0]), np.array([-1.0, 0.5, 0.0])
    gains = chunk_gains(ChunkEnergies(*(np.array([v]) for v in (14.0, 1.25, -2.5, 0.0, 0.0, 0.0))))
    assert gains[0] == pytest.approx(mixture @ estimate / (estimate @ estimate)) == -2


def test_level_and_polarity_of_every_chunk_are_undone():
    targets, mixtures = recording(6)
    levels = np.array([1.0, -0.7, 1.3, 1.0, -1.0, 0.8])
    gains = chunk_gains(energies(mixtures, [level * target for level, target in zip(levels, targets, strict=True)]))
    np.testing.assert_allclose(gains * levels, 1, atol=0.15)
    # Neighbours agree better with each other than with the truth, so nothing steps.
    np.testing.assert_allclose(np.diff(gains * levels), 0, atol=0.1)


def test_the_gains_are_the_minimum_of_the_sum():
    rng = np.random.default_rng(3)
    targets, mixtures = recording(4, seed=1)
    estimates = [0.8 * target + 0.2 * rng.normal(size=300) for target in targets]
    measured = energies(mixtures, estimates)
    usual = 1.3

    def cost(gains):
        fit = sum(np.sum((m - g * e) ** 2) for m, g, e in zip(mixtures, gains, estimates, strict=True))
        seams = []
        for index in range(1, 4):
            before, here = estimates[index - 1][-50:], estimates[index][:50]
            same = before @ here / max(before @ before, here @ here)
            difference = gains[index - 1] * np.linalg.norm(before) - gains[index] * np.linalg.norm(here)
            seams.append((same * difference) ** 2)
        prior = sum(m @ m * (g / usual - 1) ** 2 for m, g in zip(mixtures, gains, strict=True))
        return fit + 4 * sum(seams) + 0.01 * prior

    best = chunk_gains(measured, usual)
    for nudge in 0.01 * rng.normal(size=(20, 4)):
        assert cost(best + nudge) > cost(best)


def test_a_chunk_with_hardly_any_output_stays_so():
    targets, mixtures = recording(5)
    estimates = [0.5 * target for target in targets]
    estimates[2] = 0.0005 * mixtures[2]  # the target is silent there, and the network lets 60 dB less through
    gains = chunk_gains(energies(mixtures, estimates))
    assert gains[2] == pytest.approx(2, rel=0.15)  # on its own it would be 2000


def test_a_known_usual_gain_keeps_a_lone_weak_chunk_weak():
    mixture = np.random.default_rng(0).normal(size=300)
    weak = energies([mixture], [0.001 * mixture])
    assert chunk_gains(weak)[0] == pytest.approx(1000)
    assert chunk_gains(weak, 2.0)[0] == pytest.approx(2, rel=0.2)
    loud = energies([mixture], [0.5 * mixture])
    assert chunk_gains(loud, 1.0)[0] == pytest.approx(2, rel=0.05)


def test_channels_have_gains_of_their_own():
    targets, mixtures = recording(3)
    one, other = energies(mixtures, targets), energies(mixtures, [-2 * target for target in targets])
    both = ChunkEnergies(
        *(np.stack(pair, axis=1) for pair in zip(vars(one).values(), vars(other).values(), strict=True))
    )
    np.testing.assert_allclose(chunk_gains(both), np.stack([chunk_gains(one), chunk_gains(other)], axis=1))


@pytest.mark.parametrize("silent", ["mixture", "estimate"])
def test_silence_is_left_silent(silent):
    sound, nothing = np.ones(300), np.zeros(300)
    mixture, estimate = (nothing, sound) if silent == "mixture" else (sound, nothing)
    assert chunk_gains(energies([mixture] * 2, [estimate] * 2)).tolist() == [0, 0]


def test_a_silent_chunk_between_others_harms_neither():
    targets, mixtures = recording(3)
    targets[1], mixtures[1] = np.zeros(300), np.zeros(300)
    gains = chunk_gains(energies(mixtures, targets))
    assert np.isfinite(gains).all() and gains[0] == pytest.approx(1, abs=0.15)
