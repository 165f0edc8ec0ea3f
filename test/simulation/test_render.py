"""Tests of rendering mixtures and enrollments."""

import dataclasses

import numpy as np
import pytest

from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.channel import Channel, colour, draw_channel
from zspex_toolkit.simulation.draw import Mixing, draw_mixture
from zspex_toolkit.simulation.levels import PEAK, SilentSignalError
from zspex_toolkit.simulation.plan import Enrollment, Noise, Passage, Piece, Plan
from zspex_toolkit.simulation.pool import Pool
from zspex_toolkit.simulation.render import render, render_enrollment

UTT2SPK = {f"{spk}-{number}": spk for spk in "abc" for number in range(3)}
WAVES = {
    utt: (0.2 * rng_for(0, utt).standard_normal(3000 + 200 * position)).astype(np.float32)
    for position, utt in enumerate(UTT2SPK)
}
POOL = Pool(UTT2SPK, {utt: len(wave) for utt, wave in WAVES.items()})
ROOMS = {"hall": rng_for(0, "hall").standard_normal(500) * np.exp(-np.arange(500) / 80)}
NOISES = {"tap": rng_for(0, "noise").standard_normal(700).astype(np.float32), "off": np.zeros(300, np.float32)}


def reader(waves):
    return lambda utt, start, stop: np.asarray(waves[utt])[start:stop]


def drawn(key=0, **options):
    return draw_mixture(rng_for(1, key), "a-0", POOL, Mixing(**{"snr_db": 0.0, "fs": 16000, **options}))


def rendered(plan):
    return render(plan, reader(WAVES), noises=NOISES, rooms=ROOMS)


def passage(utt, num_samples, start=0, offset=0, **options):
    return Passage(utt[0], (Piece(utt, start, num_samples),), num_samples, offset=offset, **options)


def ratio_db(one, two) -> float:
    return 10 * np.log10(power(one) / power(two))


def test_a_mixture_by_hand():
    # Samples 1.. of the target from 0 on, all of the interferer from 1 on; over samples 1 and 2 the target has power
    # 0.25 and the interferer (1/8)^2, so the interferer's gain is 4.
    plan = Plan("m", (passage("a", 3, start=1), passage("b", 2, offset=1)), 0.0, 16000, 3, 0)
    result = render(plan, reader({"a": [0.9, 0.25, 0.5, -0.5], "b": [0.125, -0.125]}))
    assert result.plan.gain == pytest.approx(0.99)  # the mixture would have peaked at 1.0
    assert result.sources / 0.99 == pytest.approx(np.array([[0.25, 0.5, -0.5], [0.0, 0.5, -0.5]]), abs=1 / 32768)
    assert result.mixture / 0.99 == pytest.approx(np.array([0.25, 1.0, -1.0]), abs=2 / 32768)


OPTIONS = [
    {},
    {"num_speakers": 3},
    {"mode": "max", "num_speakers": 3},
    {"mode": "target", "speeds": (0.9, 1.1)},
    {"rooms": ["hall"], "noises": {"tap": 700}},
    {"num_speakers": 3, "num_samples": 5000, "join": True, "speeds": (0.9, 1.1), "gain_db": (-6.0, 6.0)},
]
TREATED = [  # levels are not over the overlap, or of more than the sources
    {"channel_probability": 1.0, "noises": {"tap": 700}, "noise_probability": 0.5},
    {"channel_probability": 1.0, "partial_probability": 1.0, "num_speakers": 3, "rooms": ["hall"]},
    {"channel_probability": 1.0, "gain_db": (-50.0, 30.0), "third_probability": 0.5, "noises": {"tap": 700}},
]


@pytest.mark.parametrize("options", OPTIONS + TREATED)
def test_the_mixture_is_the_sum_of_its_sources_sample_for_sample(options):
    for key in range(5):
        result = rendered(drawn(key, **{"snr_db": (-5.0, 5.0), **options}))
        parts = [*result.sources, *([] if result.noise is None else [result.noise])]
        whole = [np.asarray(np.float64(signal) * 32768) for signal in (*parts, result.mixture)]
        assert all(np.array_equal(signal, np.rint(signal)) for signal in whole)  # 16-bit values
        assert np.array_equal(sum(whole[:-1]), whole[-1])
        assert max(np.abs(signal).max() for signal in whole) <= 0.99 * 32768 + 2


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.5])
@pytest.mark.parametrize("options", OPTIONS)
def test_the_snr_is_what_was_asked(options, snr_db):
    result = rendered(drawn(3, **{"snr_db": snr_db, **options}))
    spans = np.zeros(result.sources.shape, dtype=bool)
    for span, source in zip(spans, result.plan.sources, strict=True):
        span[source.offset : source.offset + source.num_samples] = True
    both = spans[0] & spans[1:].any(axis=0)
    assert ratio_db(result.sources[0][both], result.sources[1:].sum(axis=0)[both]) == pytest.approx(snr_db, abs=0.01)


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
    sources = tuple(passage(str(n), 4) for n in range(5))
    result = render(Plan("m", sources, 0.0, 16000, 4, 0), lambda utt, start, stop: np.ones(4, np.float32))
    assert np.array_equal(result.sources.sum(axis=0), result.mixture)
    assert np.abs(result.mixture).max() == pytest.approx(0.99, abs=5 / 32768)


def test_powers_over_active_samples_follow_start_and_speed():
    # Played twice as fast and begun at sample 4: samples 4, 6, 8, 10 of the utterance, of which 8.. are active.
    faster = Passage("b", (Piece("b", 4, 8),), 4, speed=2.0)
    plan = Plan("m", (passage("a", 4), faster), 0.0, 16000, 4, 0)
    waves = {"a": 0.5 * np.array([1, 1, 1, -1], np.float32), "b": np.ones(12, np.float32)}
    active = {"a": np.ones(4, bool), "b": np.arange(12) >= 8}
    result = render(plan, reader(waves), voiced=reader(active))
    level = power(result.sources[1][2:])  # samples 8.. of the utterance are 2.. of the mixture
    assert level == pytest.approx(power(result.sources[0]), rel=1e-3)


def test_noise_lies_as_far_below_the_speech_as_asked():
    plan = dataclasses.replace(drawn(num_speakers=3), noise=Noise("tap", 250, 12.0))
    result = rendered(plan)
    assert ratio_db(result.sources.sum(0), result.noise) == pytest.approx(12.0, abs=1e-2)


def test_one_gain_is_on_everything_and_nothing_passes_full_scale():
    plain, quieter, louder = (rendered(drawn(gain_db=gain_db)) for gain_db in (-12.0, -18.0, 60.0))
    assert ratio_db(plain.mixture, quieter.mixture) == pytest.approx(6.0, abs=1e-2)
    for one, other in zip(plain.sources, quieter.sources, strict=True):
        assert ratio_db(one, other) == pytest.approx(6.0, abs=1e-2)
    assert max(np.abs(louder.mixture).max(), np.abs(louder.sources).max()) == pytest.approx(0.99, abs=1e-4)


def test_a_room_is_heard_on_the_target_too():
    echo = {"hall": np.array([1.0, 0.0, 0.5], dtype=np.float32)}
    plan = Plan("m", (passage("a-0", 400, room="hall"), passage("b-0", 400)), 0.0, 16000, 400, 0)
    result = render(plan, reader(WAVES), rooms=echo)
    dry = WAVES["a-0"][:400]
    expected = (dry + 0.5 * np.concatenate([[0, 0], dry[:-2]])) / np.sqrt(1.25) * result.plan.gain
    assert np.allclose(result.sources[0], expected, atol=1 / 32768)


def test_one_speaker_alone_is_the_mixture():
    plan = Plan("m", (passage("a-0", 400, start=50),), None, 16000, 400, 0, gain=0.5)
    result = rendered(plan)
    assert np.array_equal(result.mixture, result.sources[0])
    assert np.allclose(result.mixture, 0.5 * WAVES["a-0"][50:450], atol=1 / 32768)


def test_enrollments_have_their_own_length_gain_noise_and_room():
    clean = WAVES["a-1"][50:450]
    plain = Enrollment(passage("a-1", 400, start=50))
    assert np.array_equal(render_enrollment(plain, reader(WAVES)), clean)
    half = Enrollment(dataclasses.replace(plain.passage, gain=0.5))
    assert np.allclose(render_enrollment(half, reader(WAVES)), 0.5 * clean)
    noisy = dataclasses.replace(half, noise=Noise("tap", 0, 10.0))
    noise = render_enrollment(noisy, reader(WAVES), noises=NOISES) - 0.5 * clean
    assert ratio_db(0.5 * clean, noise) == pytest.approx(10.0, abs=1e-3)
    loud = Enrollment(dataclasses.replace(plain.passage, gain=100.0, room="hall"))
    assert np.abs(render_enrollment(loud, reader(WAVES), rooms=ROOMS)).max() == pytest.approx(PEAK)


def test_a_source_is_what_the_microphone_records_of_it_alone():
    microphone = Channel(16000, (200.0, 2000.0), (6.0, -6.0), low_hz=100.0, high_hz=4000.0)
    plan = dataclasses.replace(drawn(noises={"tap": 700}), channel=microphone)
    plain, result = rendered(dataclasses.replace(plan, channel=None)), rendered(plan)
    for source, dry, planned in zip(result.sources, plain.sources, result.plan.sources, strict=True):
        alone = colour(microphone, dry)
        scale = source @ alone / (alone @ alone)
        assert np.allclose(source, scale * alone, atol=3 / 32768) and planned.gain is not None
    assert ratio_db(result.sources.sum(0), result.noise) == pytest.approx(plan.noise.snr_db, abs=1e-2)


@pytest.mark.parametrize("options", [{"clip_db": 9.0}, {"codec": "gsm"}, {"codec": "vorbis", "compression": 1.0}])
def test_distortion_is_on_the_mixture_and_counts_as_noise(options):
    clean = rendered(drawn(gain_db=-6.0))
    result = rendered(dataclasses.replace(drawn(gain_db=-6.0), channel=Channel(16000, **options)))
    assert np.array_equal(result.sources, clean.sources) and clean.noise is None
    assert np.array_equal(result.mixture, result.sources.sum(0) + result.noise)
    assert -3 < ratio_db(clean.mixture, result.noise) < 30  # noise is what codecs of speech are worst at


def test_a_clipped_mixture_has_flat_tops():
    result = rendered(dataclasses.replace(drawn(), channel=Channel(16000, clip_db=9.0)))
    top = result.mixture.max()
    assert np.sum(result.mixture > top - 2 / 32768) > 50
    free = rendered(drawn())
    assert np.sum(free.mixture > free.mixture.max() - 2 / 32768) < 5


def test_a_plan_with_a_microphone_renders_the_same_samples_again():
    for key in range(20):
        plan = dataclasses.replace(drawn(key, noises={"tap": 700}), channel=draw_channel(rng_for(key), 16000))
        first = rendered(plan)
        again = rendered(first.plan)
        assert again.plan == first.plan and np.array_equal(again.mixture, first.mixture)


def test_speakers_who_come_and_go_are_silent_before_and_after():
    for key in range(10):
        result = rendered(drawn(key, partial_probability=1.0, num_samples=4000, join=True))
        for row, source in zip(result.sources, result.plan.sources, strict=True):
            assert not row[: source.offset].any() and not row[source.offset + source.num_samples :].any()
            assert row.any() and abs(row[source.offset]) < 0.05


def test_the_room_of_one_who_comes_and_goes_sounds_on():
    echo = {"hall": np.array([1.0, *[0.0] * 99, 0.5], dtype=np.float32)}
    source = passage("a-0", 200, offset=100, room="hall", fade=10)
    cut, whole = (
        render(Plan("m", (one,), None, 16000, 500, 0), reader(WAVES), rooms=echo).mixture
        for one in (dataclasses.replace(source, fade=None), source)
    )
    assert not cut[300:].any() and whole[300:400].any() and not whole[400:].any()


def test_a_level_at_which_nothing_is_left_of_a_source_is_named():
    with pytest.raises(SilentSignalError, match="nothing is left of a source at its level"):
        rendered(drawn(gain_db=-120.0))


def test_an_enrollment_has_its_own_microphone():
    microphone = Channel(16000, (200.0, 2000.0), (6.0, -6.0))
    enrollment = Enrollment(passage("a-1", 400, gain=0.5), channel=microphone)
    assert np.allclose(render_enrollment(enrollment, reader(WAVES)), 0.5 * colour(microphone, WAVES["a-1"][:400]))
    coded = dataclasses.replace(enrollment, channel=dataclasses.replace(microphone, clip_db=6.0, codec="mu_law"))
    plain, distorted = (render_enrollment(one, reader(WAVES)) for one in (enrollment, coded))
    assert 0 < ratio_db(plain, distorted - plain) < 30


def test_silence_where_a_level_is_needed_is_named():
    quiet = {**WAVES, "q": np.zeros(500, np.float32)}
    with pytest.raises(SilentSignalError, match=r"target is silent \(q\)"):
        render(Plan("m", (passage("q", 400),), None, 16000, 400, 0), reader(quiet))
    with pytest.raises(SilentSignalError, match=r"enrollment is silent \(q\)"):
        render_enrollment(Enrollment(passage("q", 400, gain=1.0)), reader(quiet))
    with pytest.raises(SilentSignalError, match=r"noise is silent in the stretch drawn \(off\)"):
        rendered(dataclasses.replace(drawn(), noise=Noise("off", 0, 10.0)))
