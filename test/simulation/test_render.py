"""Tests of rendering."""

import dataclasses

import numpy as np
import pytest

from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.draw import Pool, draw_mixture
from zspex_toolkit.simulation.mixture_plan import MixturePlan, Noise, Source
from zspex_toolkit.simulation.render import render

UTT2SPK = {f"{spk}-{number}": spk for spk in "abc" for number in range(2)}
WAVES = {
    utt: (0.2 * rng_for(0, utt).standard_normal(3000 + 200 * position)).astype(np.float32)
    for position, utt in enumerate(UTT2SPK)
}
POOL = Pool(UTT2SPK, {utt: len(wave) for utt, wave in WAVES.items()})
ROOMS = {"hall": rng_for(0, "hall").standard_normal(500) * np.exp(-np.arange(500) / 80)}
NOISE = rng_for(0, "noise").standard_normal(700).astype(np.float32)


def drawn(key=0, **options):
    return draw_mixture(rng_for(1, key), "a-0", POOL, **({"snr_db": 0.0, "fs": 16000} | options))


def rendered(plan):
    return render(plan, [WAVES[source.utt] for source in plan.sources], noise=NOISE, rooms=ROOMS)


def test_a_mixture_by_hand():
    # Samples 1.. of the target from 0 on, all of the interferer from 1 on; over samples 1 and 2 the target has power
    # 0.25 and the interferer (1/8)^2, so the interferer's gain is 4.
    plan = MixturePlan("m", (Source("a", "a", 1, 0, 3), Source("b", "b", 0, 1, 2)), 0.0, 16000, 3, 0)
    result = render(plan, [np.array([0.9, 0.25, 0.5, -0.5]), np.array([0.125, -0.125])])
    assert result.plan.gain == pytest.approx(0.99)  # the mixture would have peaked at 1.0
    assert result.sources / 0.99 == pytest.approx(np.array([[0.25, 0.5, -0.5], [0.0, 0.5, -0.5]]), abs=1 / 32768)
    assert result.mixture / 0.99 == pytest.approx(np.array([0.25, 1.0, -1.0]), abs=2 / 32768)


OPTIONS = [
    {},
    {"num_speakers": 3},
    {"mode": "max", "num_speakers": 3},
    {"mode": "target", "speeds": (0.9, 1.1)},
    {"rooms": ["hall"], "noises": {"tap": 700}},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_mixture_is_the_sum_of_its_sources_sample_for_sample(options):
    for key in range(5):
        result = rendered(drawn(key, snr_db=(-5.0, 5.0), **options))
        parts = [*result.sources, *([] if result.noise is None else [result.noise])]
        whole = [np.asarray(np.float64(signal) * 32768) for signal in (*parts, result.mixture)]
        assert all(np.array_equal(signal, np.rint(signal)) for signal in whole)  # 16-bit values
        assert np.array_equal(sum(whole[:-1]), whole[-1])
        assert max(np.abs(signal).max() for signal in whole) <= 0.99 * 32768 + 2


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.5])
@pytest.mark.parametrize("options", OPTIONS)
def test_the_snr_is_what_was_asked(options, snr_db):
    result = rendered(drawn(3, snr_db=snr_db, **options))
    spans = np.zeros(result.sources.shape, dtype=bool)
    for span, source in zip(spans, result.plan.sources, strict=True):
        span[source.offset : source.offset + source.num_samples] = True
    both = spans[0] & spans[1:].any(axis=0)
    ratio = power(result.sources[0][both]) / power(result.sources[1:].sum(axis=0)[both])
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.01)  # 16-bit rounding


def test_a_plan_with_gains_renders_the_same_samples_again():
    first = rendered(drawn(5, snr_db=3.0, num_speakers=3))
    again = rendered(first.plan)
    assert again.plan == first.plan
    assert np.array_equal(again.mixture, first.mixture) and np.array_equal(again.sources, first.sources)


def test_a_target_alone_in_its_stretch_is_silent_nowhere_else():
    result = rendered(drawn(2, mode="max"))
    for signal, source in zip(result.sources, result.plan.sources, strict=True):
        assert not signal[: source.offset].any() and not signal[source.offset + source.num_samples :].any()


def test_the_sum_is_exact_at_full_scale_for_many_speakers():
    sources = tuple(Source(str(n), str(n), 0, 0, 4) for n in range(5))
    loud = [np.ones(4, np.float32)] * 5
    result = render(MixturePlan("m", sources, 0.0, 16000, 4, 0), loud)
    assert np.array_equal(result.sources.sum(axis=0), result.mixture)
    assert np.abs(result.mixture).max() == pytest.approx(0.99, abs=5 / 32768)


def test_powers_over_active_samples_follow_start_and_speed():
    # Played twice as fast and begun at sample 2: samples 4, 6, 8, 10 of the utterance, of which 8.. are active.
    sources = (Source("a", "a", 0, 0, 4), Source("b", "b", 2, 0, 4, speed=2.0))
    plan = MixturePlan("m", sources, 0.0, 16000, 4, 0)
    wave = np.ones(12, np.float32)
    active = [np.ones(4, bool), np.arange(12) >= 8]
    result = render(plan, [0.5 * np.array([1, 1, 1, -1], np.float32), wave], active=active)
    level = power(result.sources[1][2:])  # samples 8.. of the utterance are 2.. of the mixture
    assert level == pytest.approx(power(result.sources[0]), rel=1e-3)


def test_audio_shorter_than_planned_is_named():
    plan = drawn()
    short = [WAVES[source.utt][:100] for source in plan.sources]
    with pytest.raises(ValueError, match=r"utterance a-0: the plan needs \d+ samples, found 100; plan again"):
        render(plan, short)


def test_a_room_or_noise_that_was_not_given_is_named():
    plan = drawn(rooms=["hall"], noises={"tap": 700})
    waves = [WAVES[source.utt] for source in plan.sources]
    with pytest.raises(ValueError, match="utterance a-0: its room hall was not given"):
        render(plan, waves, noise=NOISE)
    with pytest.raises(ValueError, match="its noise tap was not given"):
        render(dataclasses.replace(plan, noise=Noise("tap", 0, 9.0)), waves, rooms=ROOMS)
