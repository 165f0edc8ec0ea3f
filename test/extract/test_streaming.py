"""A stream gives what the whole recording gives, in time, whatever the blocks."""

import numpy as np
import pytest
import torch
from support.filter_extractor import FilterExtractor, low_noise, spec

from zspex_toolkit.errors import AudioError, ConfigError, UserError
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.models.extractors import spex_plus
from zspex_toolkit.models.extractors.band_split import SMALL, BandSplitExtractor

FS = 8000


@pytest.fixture(scope="module")
def extractor():
    torch.manual_seed(0)
    network = BandSplitExtractor(3, fs=FS, **SMALL["causal"])
    with torch.no_grad():
        for parameter in network.parameters():  # masks that are not one
            parameter.add_(0.1 * torch.randn_like(parameter))
    return Extractor(spec(), network.eval().requires_grad_(False), "cpu")


@pytest.fixture(scope="module")
def clue(extractor):
    return extractor.enroll(low_noise(FS, seed=3))


@pytest.fixture(scope="module")
def mixture():
    return low_noise(2 * FS, seed=4, high=3000)


def streamed(stream, signal, size):
    blocks = [signal[start : start + size] for start in range(0, len(signal), size)]
    return np.concatenate([*(stream.push(block) for block in blocks), stream.finish()])


@pytest.mark.parametrize("size", [1000, 1, 127, 128, 5000, 16000])
def test_blocks_of_any_size_give_what_the_whole_recording_gives(extractor, clue, mixture, size):
    mixture = mixture[: 40 * size]
    with torch.inference_mode():
        whole = extractor.network.extract(torch.from_numpy(mixture)[None], clue)[0].numpy()
    voice = streamed(extractor.stream(clue=clue), mixture, size)
    assert voice.dtype == np.float32
    np.testing.assert_allclose(voice, whole, atol=1e-5 * np.abs(whole).max())


def test_a_sample_comes_out_no_later_than_the_latency(extractor, clue, mixture):
    stream, out = extractor.stream(clue=clue), 0
    assert stream.latency_s <= 0.040
    for start in range(0, len(mixture), 16):
        out += len(stream.push(mixture[start : start + 16]))
        assert start + 16 - out <= stream.latency_s * FS
    assert 0 < stream.longest_wait_s <= stream.latency_s


def test_another_future_changes_nothing_before_the_latency(extractor, clue, mixture):
    change = FS
    other = np.concatenate([mixture[:change], low_noise(len(mixture) - change, seed=9)])
    one, two = (streamed(extractor.stream(clue=clue), signal, 500) for signal in (mixture, other))
    same = change - extractor.network.latency_samples
    assert (one[:same] == two[:same]).all() and (one[change:] != two[change:]).any()


def test_streams_side_by_side_do_not_disturb_each_other(extractor, clue, mixture):
    alone = streamed(extractor.stream(clue=clue), mixture, 800)
    one, two, outputs = extractor.stream(clue=clue), extractor.stream(clue=clue), []
    for start in range(0, len(mixture), 800):
        outputs.append(one.push(mixture[start : start + 800]))
        two.push(mixture[::-1][start : start + 800])
    np.testing.assert_array_equal(np.concatenate([*outputs, one.finish()]), alone)


def test_reset_begins_anew(extractor, clue, mixture):
    stream = extractor.stream(clue=clue)
    first = streamed(stream, mixture, 800)
    stream.reset()
    np.testing.assert_array_equal(streamed(stream, mixture, 800), first)


def test_a_copy_goes_on_from_where_it_was_made(extractor, clue, mixture):
    stream = extractor.stream(clue=clue)
    begin = stream.push(mixture[:900])
    other = stream.copy()
    of_other = streamed(other, -mixture[900:], 800)  # which must not disturb the first
    np.testing.assert_array_equal(
        np.concatenate([begin, streamed(stream, mixture[900:], 800)]), _twice(extractor, clue, mixture)
    )
    assert len(begin) + len(of_other) == len(mixture)
    np.testing.assert_array_equal(
        np.concatenate([begin, of_other]), _twice(extractor, clue, np.append(mixture[:900], -mixture[900:]))
    )


def _twice(extractor, clue, signal):
    stream = extractor.stream(clue=clue)
    return np.concatenate([stream.push(signal[:900]), streamed(stream, signal[900:], 800)])


def test_a_copy_has_the_same_network(extractor, clue, mixture):
    stream = extractor.stream(clue=clue)
    stream.push(mixture)
    inner = stream.copy()._stream
    assert inner._network is extractor.network
    assert set(inner._memory) == set(stream._stream._memory)


def test_a_copy_at_another_rate_is_refused(extractor, clue):
    with pytest.raises(UserError, match="a stream at 16000 Hz cannot be copied: expected the network's 8000 Hz"):
        extractor.stream(clue=clue, fs=16000).copy()


def test_a_causal_spex_plus_streams_and_its_state_is_copied(mixture):
    torch.manual_seed(0)
    network = spex_plus.SpexPlus(3, **spex_plus.SMALL["causal"]).eval().requires_grad_(False)
    extractor = Extractor(spec(), network, "cpu")
    clue = extractor.enroll(low_noise(FS, seed=3))
    with torch.inference_mode():
        whole = network.extract(torch.from_numpy(mixture)[None], clue)[0].numpy()
    stream = extractor.stream(clue=clue)
    begin = stream.push(mixture[:1001])
    for one in (stream.copy(), stream):
        voice = np.concatenate([begin, streamed(one, mixture[1001:], 700)])
        np.testing.assert_allclose(voice, whole, atol=1e-5 * np.abs(whole).max())


@pytest.mark.parametrize("fs", [16000, 44100, 7000])
def test_at_another_rate_as_many_samples_come_out_and_the_blocks_do_not_matter(extractor, clue, fs):
    signal = low_noise(fs, seed=5, fs=fs)
    one, two = (streamed(extractor.stream(clue=clue, fs=fs), signal, size) for size in (400, 4001))
    assert len(one) == len(signal)
    np.testing.assert_allclose(one, two, atol=1e-4 * np.abs(one).max())


def test_of_channels_the_mean_is_taken(extractor, clue, mixture):
    pair = np.stack([mixture + 0.1, mixture - 0.1], 1)
    mono = streamed(extractor.stream(clue=clue), mixture, 900)
    np.testing.assert_allclose(streamed(extractor.stream(clue=clue), pair, 900), mono, atol=1e-4)


@pytest.mark.parametrize("length", [0, 1, 127, 300])
def test_short_sound_comes_out_whole(extractor, clue, mixture, length):
    voice = streamed(extractor.stream(clue=clue), mixture[:length], 50)
    assert len(voice) == length and np.isfinite(voice).all()


def test_silence_stays_finite_and_so_does_what_follows(extractor, clue, mixture):
    signal = np.concatenate([np.zeros(FS, np.float32), np.sign(mixture)])  # silence, then clipped
    assert np.isfinite(streamed(extractor.stream(clue=clue), signal, 700)).all()


def test_nan_is_refused_and_the_stream_goes_on(extractor, clue, mixture):
    stream = extractor.stream(clue=clue)
    before = stream.push(mixture[:500])
    with pytest.raises(AudioError, match="mixture: holds NaN or infinity"):
        stream.push(np.full(100, np.nan, np.float32))
    after = np.concatenate([before, stream.push(mixture[500:]), stream.finish()])
    np.testing.assert_allclose(after, streamed(extractor.stream(clue=clue), mixture, 500), atol=1e-6)


def test_what_is_kept_does_not_grow(extractor, clue):
    stream, sizes = extractor.stream(clue=clue), []
    block = low_noise(400, seed=6)
    for number in range(200):
        stream.push(block)
        if number in (20, 199):
            inner = stream._stream
            kept = [inner._pending, inner._tail, *_tensors(inner._memory)]
            sizes.append(sum(one.untyped_storage().nbytes() for one in kept))
    assert sizes[1] <= 2 * sizes[0]


def _tensors(kept):
    if torch.is_tensor(kept):
        return [kept]
    values = kept.values() if isinstance(kept, dict) else kept if isinstance(kept, (tuple, list)) else ()
    return [tensor for value in values for tensor in _tensors(value)]


def test_a_network_that_is_not_causal_is_refused():
    extractor = Extractor(spec(), FilterExtractor(), "cpu")
    with pytest.raises(UserError, match="needs the whole recording: expected one that was trained with causal: true"):
        extractor.stream(low_noise(FS))


def test_several_speakers_at_once_are_refused(extractor, clue):
    with pytest.raises(ConfigError, match="expected that of one speaker, got 2"):
        extractor.stream(clue=Clue.cat([clue, clue]))


def test_after_its_end_it_takes_no_more(extractor, clue, mixture):
    stream = extractor.stream(clue=clue)
    stream.push(mixture)
    stream.finish()
    assert len(stream.finish()) == 0
    with pytest.raises(UserError, match="has been finished"):
        stream.push(mixture)
