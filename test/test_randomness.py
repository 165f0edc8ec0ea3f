"""Random numbers depend on names alone."""

from zspex_toolkit.randomness import rng_for


def test_numbers_are_the_same_on_every_machine():
    assert rng_for(1, "spk1-utt1").integers(0, 1_000_000, 3).tolist() == EXPECTED


def test_a_number_and_its_text_are_different_keys():
    assert rng_for(0, 1).random() != rng_for(0, "1").random()


def test_seed_and_every_key_matter():
    draws = {rng_for(seed, key, epoch).random() for seed in (0, 1) for key in "ab" for epoch in (0, 1)}
    assert len(draws) == 8


EXPECTED = [296799, 554695, 106138]
