"""Arrays in, a voice out: as long as the mixture, as loud, in its polarity, and without seams."""

import numpy as np
import pytest
import torch
from support.filter_extractor import FS, PRESENCE, FilterExtractor, high_noise, low_noise, spec

import zspex_toolkit
from zspex_toolkit.errors import AudioError, ConfigError, UserError
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.models.extractors.spex_plus import SMALL, SpexPlus
from zspex_toolkit.signal.resample import resample

ENROLLMENT = low_noise(2 * FS, seed=9)


def extractor(levels=(1.0,), offset=0.0, presence=None):
    return Extractor(spec(presence), FilterExtractor(levels, offset), "cpu")


def embedding(clue):
    return clue.embedding[0].numpy()


def snr_db(estimate, reference):
    return 10 * np.log10(np.sum(reference**2) / np.sum((estimate - reference) ** 2))


@pytest.fixture(scope="module")
def long_one():
    """A target and an interferer of half a long_one: six chunks of at most 6 s."""
    return low_noise(30 * FS), high_noise(30 * FS)


def test_level_and_polarity_are_those_in_the_mixture():
    target, interferer = low_noise(3 * FS), high_noise(3 * FS)
    voice = extractor(levels=[-7.0], offset=0.3).extract(target + interferer, ENROLLMENT, FS)
    assert (voice.dtype, voice.shape) == (np.float32, target.shape)
    assert snr_db(voice, target) > 50


@pytest.mark.parametrize(("level", "heard_db"), [(0.001, -40), (1.0, None), (10.0, -10)])
def test_a_level_that_the_model_does_not_know_is_made_up_for_and_kept(level, heard_db):
    one = extractor(presence=PRESENCE | {"quietest_db": -40.0, "loudest_db": -10.0})
    heard, extract = [], one.network.extract
    one.network.extract = lambda mixture, clue: heard.append(mixture) or extract(mixture, clue)
    mixture = level * low_noise(3 * FS)
    voice = one.extract(mixture, ENROLLMENT, FS)
    assert snr_db(voice, mixture) > 30
    if heard_db is None:
        np.testing.assert_allclose(heard[0][0], mixture - mixture.mean(), atol=1e-6)
    else:
        assert 10 * np.log10(heard[0].square().mean().item()) == pytest.approx(heard_db, abs=2)


def test_an_enrollment_is_heard_at_a_level_that_the_model_knows():
    one = extractor(presence=PRESENCE | {"quietest_db": -40.0, "loudest_db": -10.0})
    heard, make = [], one.network.clue
    one.network.clue = lambda enrollment: heard.append(enrollment) or make(enrollment)
    one.enroll(1e-4 * ENROLLMENT, FS)
    assert 10 * np.log10(heard[0].square().mean().item()) == pytest.approx(-40, abs=1.5)


def test_a_recording_twice_as_loud_gives_a_voice_twice_as_loud():
    mixture = low_noise(2 * FS) + high_noise(2 * FS)
    quiet, loud = (extractor(levels=[3.0]).extract(gain * mixture, ENROLLMENT, FS) for gain in (0.01, 0.02))
    np.testing.assert_allclose(loud, 2 * quiet, atol=1e-6)


def test_chunks_give_what_the_whole_gives(long_one):
    target, interferer = long_one
    one = extractor()
    chunked = one.extract(target + interferer, ENROLLMENT, FS, chunk_s=6)
    assert len(one.network.lengths) == 6
    whole = extractor().extract(target + interferer, ENROLLMENT, FS, chunk_s=100)
    assert snr_db(chunked, whole) > 60


def test_chunks_of_other_levels_and_polarities_are_joined_without_a_step(long_one):
    target, interferer = long_one
    voice = extractor(levels=[1.0, -0.7, 1.4, -1.0]).extract(target + interferer, ENROLLMENT, FS, chunk_s=6)
    assert snr_db(voice, target) > 35
    # A seam would be a jump faster than anything in the target.
    assert np.abs(np.diff(voice)).max() < 1.05 * np.abs(np.diff(target)).max()


def test_a_part_without_the_target_stays_as_quiet_as_the_network_leaves_it(long_one):
    target, interferer = long_one
    target = target * (np.arange(len(target)) > 15 * FS)
    residue = 1e-3 * low_noise(30 * FS, seed=5)
    voice = extractor().extract(target + interferer + residue, ENROLLMENT, FS, chunk_s=6)
    inner = slice(FS // 10, 9 * FS)  # the abrupt beginning of the interferer is heard at all frequencies
    assert np.abs(voice[inner]).max() < 1.5 * np.abs(residue[inner]).max()


@pytest.mark.parametrize("fs", [44100, 16000, 6000])
def test_any_rate_gives_as_many_samples_in_time_with_the_mixture(fs):
    target, interferer = low_noise(3 * FS), high_noise(3 * FS)
    at_rate = resample(target, FS, fs)
    voice = extractor().extract(resample(target + interferer, FS, fs), ENROLLMENT, fs, enrollment_fs=FS)
    assert len(voice) == len(at_rate) and snr_db(voice, at_rate) > 50


@pytest.mark.parametrize("num_samples", [1, 7, 19, 279, 1001])
def test_a_mixture_shorter_than_a_filter_keeps_its_length(num_samples):
    voice = extractor(presence=PRESENCE).extract(low_noise(FS)[:num_samples], ENROLLMENT, FS)
    assert voice.shape == (num_samples,) and np.isfinite(voice).all()


def test_several_channels_are_taken_as_their_mean():
    left, right = low_noise(FS, 1), low_noise(FS, 2)
    both = extractor().extract(np.stack([left, right], axis=1), ENROLLMENT, FS)
    np.testing.assert_allclose(both, extractor().extract((left + right) / 2, ENROLLMENT, FS), atol=1e-6)


def test_an_offset_of_the_mixture_changes_nothing():
    mixture = low_noise(FS) + high_noise(FS)
    plain, offset = (extractor().extract(mixture + shift, ENROLLMENT + shift, FS) for shift in (0.0, 0.25))
    np.testing.assert_allclose(offset, plain, atol=1e-5)


@pytest.mark.parametrize(("normalize_output", "peak"), [("peak", 0.9), ("none", 4 * 0.25)])
def test_the_level_can_be_set_otherwise(normalize_output, peak):
    voice = extractor(levels=[4.0]).extract(low_noise(FS), ENROLLMENT, FS, normalize_output=normalize_output)
    assert np.abs(voice).max() == pytest.approx(peak, rel=0.02)


def test_several_enrollments_are_joined_as_the_network_says():
    one, other = low_noise(FS), (low_noise(FS) + high_noise(FS)).astype(np.float32)
    vectors = [embedding(extractor().enroll(recording, FS)) for recording in (one, other)]
    np.testing.assert_allclose(embedding(extractor().enroll([one, other], FS)), np.mean(vectors, axis=0), atol=1e-6)
    assert not np.allclose(*vectors, atol=0.1)


def test_an_enrollment_of_many_minutes_is_taken_in_pieces():
    seen = []
    one = extractor()
    make = one.network.clue
    one.network.clue = lambda enrollment: seen.append(enrollment.shape[1]) or make(enrollment)
    whole = embedding(extractor().enroll(ENROLLMENT, FS))
    np.testing.assert_allclose(embedding(one.enroll(low_noise(70 * FS), FS)), whole, atol=0.01)
    assert len(seen) == 3 and max(seen) <= 30 * FS


def test_silence_gives_silence():
    voice = extractor(levels=[5.0], offset=0.2, presence=PRESENCE).extract(np.zeros(FS), ENROLLMENT, FS)
    assert not voice.any()


def test_presence_is_that_of_the_likeliest_chunk(long_one):
    target, interferer = long_one
    nowhere, somewhere = interferer, interferer + target * (np.arange(len(target)) > 25 * FS)
    one = extractor(presence=PRESENCE)
    assert one.presence(nowhere, ENROLLMENT, FS) < 0.01
    assert one.presence(somewhere, ENROLLMENT, FS) > 0.99


def test_presence_is_unknown_without_calibration_or_speech_enough():
    assert extractor().presence(low_noise(FS), ENROLLMENT, FS) is None
    assert extractor(presence=PRESENCE | {"cosine": 1.0}).presence(low_noise(FS)[:100], ENROLLMENT, FS) is None


def test_nobody_is_present_in_silence():
    assert extractor(presence=PRESENCE).presence(np.zeros(FS), ENROLLMENT, FS) == 0


@pytest.mark.parametrize(
    ("mixture", "enrollment", "message"),
    [
        (np.zeros(0), ENROLLMENT, r"mixture: expected samples of shape \(T,\) or \(T, C\), got \(0,\)"),
        (np.zeros((2, 2, 2)), ENROLLMENT, r"mixture: expected samples of shape"),
        (np.array([0.1, np.nan]), ENROLLMENT, "mixture: holds NaN or infinity"),
        (np.ones(9), np.array([np.inf] * 900), "enrollment: holds NaN or infinity"),
        (np.ones(9), np.zeros(FS), "enrollment: silent: no speech to know the speaker by"),
        (np.ones(9), np.full(FS, 0.5), "enrollment: silent"),
        (np.ones(9), low_noise(FS)[:200], "too short for an enrollment: expected at least 35 ms, found 25 ms"),
        (np.ones(9), [], "enrollment: expected at least one recording of the speaker, got none"),
    ],
)
def test_what_cannot_be_used_is_one_line(mixture, enrollment, message):
    with pytest.raises(AudioError, match=message):
        extractor().extract(mixture, enrollment, FS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"normalize_output": "loud"}, "normalize_output: expected one of mixture, peak, none, got 'loud'"),
        ({"chunk_s": 0.5}, "chunk_s: expected 1 second or more, got 0.5"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        extractor().extract(low_noise(FS), ENROLLMENT, FS, **options)


def test_a_network_that_gives_no_numbers_is_refused():
    with pytest.raises(UserError, match="the network gives NaN or infinity: its weights are broken"):
        extractor(levels=[float("nan")]).extract(low_noise(FS), ENROLLMENT, FS)


def test_a_gpu_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="device: 'cuda:99' is not there, this machine has"):
        Extractor(spec(), FilterExtractor(), "cuda:99")


def test_a_gpu_without_enough_memory_is_one_line():
    one = extractor()

    def exhaust(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried ...")

    one.network.extract = exhaust
    with pytest.raises(UserError, match=r"cpu: not enough memory for 1 x 2\.0 s; take a shorter chunk_s"):
        one.extract(low_noise(2 * FS), ENROLLMENT, FS)


def test_a_batch_of_chunks_gives_what_one_by_one_gives(long_one):
    target, interferer = long_one
    alone, batched = extractor(), extractor()
    batched.batch_size = 4
    expected = alone.extract(target + interferer, ENROLLMENT, FS, chunk_s=6)
    voice = batched.extract(target + interferer, ENROLLMENT, FS, chunk_s=6)
    np.testing.assert_allclose(voice, expected, atol=1e-5)
    assert (len(alone.network.lengths), len(batched.network.lengths)) == (6, 3)  # the last chunk is a little shorter


def test_the_package_exports_the_extractor():
    assert zspex_toolkit.Extractor is Extractor
    with pytest.raises(AttributeError, match="module 'zspex_toolkit' has no attribute 'Extraktor'"):
        _ = zspex_toolkit.Extraktor


def test_one_clue_serves_any_number_of_mixtures():
    one = extractor()
    clue = one.enroll(ENROLLMENT, FS)
    for seed in (1, 2):
        mixture = low_noise(FS, seed) + high_noise(FS)
        assert np.array_equal(one.extract(mixture, clue=clue), one.extract(mixture, ENROLLMENT, FS))
        assert one.presence(mixture, clue=clue) is None


def test_all_people_of_a_meeting_come_in_one_call_as_one_by_one(long_one):
    target, interferer = long_one
    torch.manual_seed(0)
    network = SpexPlus(3, **SMALL["plain"] | {"kernel_sizes": (64, 80, 96), "stride": 32}).eval()
    one = Extractor(spec(PRESENCE | {"cosine": 1.0}), network, "cpu")
    people = [low_noise(2 * FS, seed) for seed in range(10)]  # more than are asked of a chunk at once
    clue = Clue.cat([one.enroll(person) for person in people])
    encoded = []
    network.encoder.register_forward_hook(lambda _, given, output: encoded.append(given[0].shape))
    voices, presences = one.extract_all(target + interferer, clue, chunk_s=12)
    # 3 chunks, each for 8 and for 2 people; and the outputs, of which it is asked how alike they are.
    assert [shape[0] for shape in encoded] == [1, 1, 8, 2] * 3
    assert voices.shape == (10, len(target)) and len(presences) == 10
    for row in (0, 7, 9):
        alone = one.extract(target + interferer, clue=clue[row], chunk_s=12)
        np.testing.assert_allclose(voices[row], alone, atol=1e-4 * np.abs(alone).max())
        assert presences[row] == pytest.approx(one.presence(target + interferer, clue=clue[row]), abs=1e-4)
    assert not np.allclose(voices[0], voices[1], atol=1e-3 * np.abs(voices[0]).max())


def test_neighbouring_chunks_overlap_by_the_context_of_the_network(long_one):
    target, interferer = long_one
    one = extractor()
    lengths = {}
    for context in (0, 8000, 16000, 10**6):
        one.network.lengths, one.network.context_samples = [], context
        one.extract(target + interferer, ENROLLMENT, FS, chunk_s=6)
        lengths[context] = one.network.lengths[0]
    # 30 s in chunks of at most 6 s: overlaps of 0.5 s (the least), 1 s, 2 s and 3 s (half a chunk).
    expected = {0: (30 + 5 * 0.5) / 6, 8000: (30 + 5) / 6, 16000: (30 + 2 * 6) / 7, 10**6: (30 + 3 * 8) / 9}
    assert lengths == {context: -(-round(seconds * FS, 6) // 1) for context, seconds in expected.items()}


def test_an_enrollment_or_a_clue_and_of_one_speaker():
    one = extractor()
    clue = one.enroll(ENROLLMENT, FS)
    for given in ({}, {"enrollment": ENROLLMENT, "clue": clue}):
        with pytest.raises(ConfigError, match="expected an enrollment or a clue, and not both"):
            one.extract(low_noise(FS), **given)
    with pytest.raises(ConfigError, match="clue: expected that of one speaker, got 2; extract_all takes several"):
        one.extract(low_noise(FS), clue=clue[[0, 0]])
