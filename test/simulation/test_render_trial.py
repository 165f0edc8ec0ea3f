"""A rendered trial: levels, gains and what adds up to what."""

import dataclasses

import numpy as np
import pytest

from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.drawn_trial import DrawnTrial, Enrollment
from zspex_toolkit.simulation.levels import SilentSignalError
from zspex_toolkit.simulation.mixture_plan import Noise
from zspex_toolkit.simulation.passage import Passage, Piece
from zspex_toolkit.simulation.render_trial import render_trial

RNG = np.random.default_rng(0)
SPEECH = {utt: RNG.normal(scale=scale, size=500).astype(np.float32) for utt, scale in (("a", 0.1), ("b", 0.02))}
SPEECH["quiet"] = np.zeros(500, dtype=np.float32)
HISS = {"fan": RNG.normal(size=300).astype(np.float32), "off": np.zeros(300, dtype=np.float32)}


def passage(utt: str, offset: int = 0, num_samples: int = 400, **options) -> Passage:
    return Passage(utt, (Piece(utt, 50, num_samples),), num_samples, offset, **options)


TRIAL = DrawnTrial(
    sources=(passage("a"), passage("b")),
    enrollments=(Enrollment(passage("a"), 0, 0.0, None), Enrollment(passage("b", num_samples=90), 1, 6.0, None)),
    num_samples=400,
    snr_db=3.0,
    gain_db=0.0,
    noise=None,
)


def rendered(rooms=None, **changes):
    trial = dataclasses.replace(TRIAL, **changes)
    return render_trial(trial, lambda utt, start, stop: SPEECH[utt][start:stop], rooms=rooms or {}, noises=HISS)


def ratio_db(one, two) -> float:
    return 10 * np.log10(power(one) / power(two))


def test_the_first_source_keeps_its_level_and_the_second_is_as_far_below_as_asked():
    result = rendered()
    assert np.array_equal(result.sources[0], SPEECH["a"][50:450])
    assert ratio_db(*result.sources) == pytest.approx(3.0, abs=1e-4)


def test_the_ratio_is_measured_where_both_sound():
    result = rendered(sources=(passage("a", num_samples=250), passage("b", offset=200, num_samples=200)))
    assert ratio_db(result.sources[0][200:250], result.sources[1][200:250]) == pytest.approx(3.0, abs=1e-4)
    assert not result.sources[0][250:].any() and not result.sources[1][:200].any()


def test_the_mixture_is_the_sum_of_its_sources():
    result = rendered()
    assert np.abs(result.mixture - result.sources.sum(0)).max() < 1e-7


def test_noise_lies_as_far_below_the_speech_as_asked():
    result = rendered(noise=Noise("fan", 250, 12.0))
    speech = result.sources.sum(0)
    assert ratio_db(speech, result.mixture - speech) == pytest.approx(12.0, abs=1e-3)


def test_one_gain_is_on_everything():
    louder, plain = rendered(gain_db=-6.0), rendered()
    for name in ("mixture", "sources"):
        assert np.allclose(getattr(louder, name), getattr(plain, name) * 10**-0.3, atol=1e-7)
    assert np.array_equal(louder.enrollments[0], plain.enrollments[0])


def test_nothing_passes_full_scale():
    result = rendered(gain_db=40.0)
    assert max(np.abs(result.mixture).max(), np.abs(result.sources).max()) == pytest.approx(0.99)
    assert np.abs(result.mixture - result.sources.sum(0)).max() < 1e-6


def test_enrollments_have_their_own_length_gain_and_noise():
    noisy = dataclasses.replace(TRIAL.enrollments[0], noise=Noise("fan", 0, 10.0))
    result = rendered(enrollments=(noisy, TRIAL.enrollments[1]))
    clean = SPEECH["a"][50:450]
    assert ratio_db(clean, result.enrollments[0] - clean) == pytest.approx(10.0, abs=1e-3)
    assert np.allclose(result.enrollments[1], SPEECH["b"][50:140] * 10**0.3)


def test_a_room_is_heard_on_the_target_too():
    echo = {"hall": np.array([1.0, 0.0, 0.5], dtype=np.float32)}
    result = rendered(rooms=echo, sources=(passage("a", room="hall"), passage("b")))
    dry = SPEECH["a"][50:450]
    expected = (dry + 0.5 * np.concatenate([[0, 0], dry[:-2]])) / np.sqrt(1.25)
    assert np.allclose(result.sources[0], expected, atol=1e-6)


def test_one_speaker_alone_is_the_mixture():
    result = rendered(sources=(passage("a"),), enrollments=(TRIAL.enrollments[0],) * 2)
    assert np.array_equal(result.mixture, result.sources[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": (passage("a"), passage("quiet"))}, "silence in the stretch drawn of quiet"),
        ({"sources": (passage("quiet"),)}, "silence in the stretch drawn of quiet"),
        ({"enrollments": (Enrollment(passage("quiet"), 0, 0.0, None),)}, "silence in the stretch drawn of quiet"),
        ({"noise": Noise("off", 0, 10.0)}, r"noise is silent in the stretch drawn \(off\)"),
    ],
)
def test_silence_where_a_level_is_needed_is_named(changes, message):
    with pytest.raises(SilentSignalError, match=message):
        rendered(**changes)
