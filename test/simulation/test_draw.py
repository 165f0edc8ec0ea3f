"""Tests of drawing mixtures."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.draw import Pool, draw_mixture

UTT2SPK = {f"{spk}-{number}": spk for spk in "abcd" for number in range(3)}
LENGTHS = {utt: 1000 + 97 * position for position, utt in enumerate(UTT2SPK)}
POOL = Pool(UTT2SPK, LENGTHS)


def draw(key, target="a-0", **options):
    return draw_mixture(rng_for(1, key), target, POOL, **({"snr_db": 0.0, "fs": 16000} | options))


@given(st.integers(0, 1000), st.sampled_from(sorted(UTT2SPK)), st.integers(2, 4))
def test_the_speakers_of_a_mixture_all_differ(key, target, num_speakers):
    plan = draw(key, target, num_speakers=num_speakers)
    assert plan.sources[0].utt == target
    assert len({source.spk for source in plan.sources}) == num_speakers
    assert all(UTT2SPK[source.utt] == source.spk for source in plan.sources)


@given(st.integers(0, 1000), st.sampled_from(["min", "max", "target"]), st.sampled_from([2, 3, 4]), st.booleans())
def test_every_source_lies_in_its_utterance_and_in_the_mixture(key, mode, num_speakers, short):
    plan = draw(key, "b-1", mode=mode, num_speakers=num_speakers, max_num_samples=500 if short else None)
    lengths = [LENGTHS[source.utt] for source in plan.sources]
    wanted = {"min": min(lengths), "max": max(lengths), "target": lengths[0]}[mode]
    assert plan.num_samples == (min(wanted, 500) if short else wanted)
    target = plan.sources[0]
    for source, length in zip(plan.sources, lengths, strict=True):
        assert 0 <= source.start <= length - source.num_samples
        assert 0 <= source.offset <= plan.num_samples - source.num_samples
        overlap = min(source.offset + source.num_samples, target.offset + target.num_samples) - max(
            source.offset, target.offset
        )
        assert 2 * overlap >= min(source.num_samples, target.num_samples)


def test_speakers_and_utterances_are_drawn_evenly():
    counts = Counter(draw(key).sources[1].utt for key in range(4500))
    assert set(counts) == {utt for utt in UTT2SPK if UTT2SPK[utt] != "a"}
    assert max(abs(count - 500) for count in counts.values()) < 5 * 500**0.5


def test_a_speaker_with_many_utterances_is_not_drawn_more_often():
    pool = Pool(UTT2SPK | {f"d-{n}": "d" for n in range(100)}, LENGTHS | {f"d-{n}": 900 for n in range(100)})
    drawn = [draw_mixture(rng_for(1, key), "a-0", pool, snr_db=0.0, fs=16000).sources[1].spk for key in range(3000)]
    assert abs(Counter(drawn)["d"] - 1000) < 150


def test_the_same_generator_gives_the_same_plan_and_the_next_epoch_another():
    plans = [
        draw_mixture(rng_for(1, "mixture", epoch, 7), "a-0", POOL, snr_db=(-5, 5), fs=16000) for epoch in (0, 0, 1)
    ]
    assert plans[0] == plans[1] != plans[2]


def test_an_snr_range_is_filled_evenly_and_its_ends_kept():
    drawn = np.array([draw(key, snr_db=(-5.0, 5.0)).snr_db for key in range(2000)])
    assert drawn.min() >= -5 and drawn.max() <= 5
    assert np.histogram(drawn, bins=4, range=(-5, 5))[0].min() > 400


def test_partners_and_stretches_do_not_depend_on_the_snr():
    assert draw(3, snr_db=-5.0).sources == draw(3, snr_db=(0.0, 5.0)).sources


def test_lengths_are_counted_after_the_change_of_speed():
    plan = draw(1, speeds=(2.0,), mode="target")
    assert plan.num_samples == LENGTHS["a-0"] // 2
    assert {source.speed for source in plan.sources} == {2.0}


def test_rooms_and_noises_come_from_those_given():
    plans = [draw(key, rooms=["hall", "bath"], noises={"tap": 50}, noise_snr_db=(3.0, 4.0)) for key in range(50)]
    assert {source.room for plan in plans for source in plan.sources} == {"hall", "bath"}
    assert {plan.noise.id for plan in plans} == {"tap"}
    assert all(0 <= plan.noise.start < 50 and 3 <= plan.noise.snr_db <= 4 for plan in plans)


def test_too_few_speakers_are_refused():
    with pytest.raises(DataDirError, match="mixtures of 5 speakers need at least 5 speakers, found 4"):
        draw(0, num_speakers=5)


def test_an_utterance_without_a_length_is_named():
    with pytest.raises(DataDirError, match=r"utterance b-0: no length in samples"):
        Pool({"a-0": "a", "b-0": "b"}, {"a-0": 5})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"snr_db": float("inf")}, "snr_db: expected a finite number of dB, or a lower and an upper one, got inf"),
        ({"snr_db": float("nan")}, "snr_db: expected a finite number of dB"),
        ({"snr_db": (5.0, -5.0)}, r"snr_db: .* got \(5.0, -5.0\)"),
        ({"snr_db": (1.0, 2.0, 3.0)}, "a lower and an upper one"),
        ({"num_speakers": 1}, "num_speakers: expected 2 or more, got 1"),
        ({"mode": "mean"}, "mode: expected one of min, max, target, got 'mean'"),
        ({"speeds": (0.0,)}, r"speeds: expected factors between 0.1 and 10, got \(0.0,\)"),
        ({"speeds": ()}, "speeds: expected factors"),
    ],
)
def test_a_setting_out_of_range_is_named(options, message):
    with pytest.raises(ConfigError, match=message):
        draw(0, **options)
