from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zspex_toolkit.bench.features import native_mfcc
from zspex_toolkit.io.archive import read_scp
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.table import read_table
from zspex_toolkit.signal.front_end_config import DEMIXING, MfccConfig
from zspex_toolkit.signal.mfcc import Mfcc, mirror_edges

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"
CONFIGS = {  # what the .conf files of the same names say
    "default13": MfccConfig(),
    "demix20": DEMIXING,
    "noenergy20": MfccConfig(num_ceps=20, num_mel_bins=30, low_hz=20, high_hz=7600, use_energy=False, energy_floor=1.0),
    "voxceleb30": MfccConfig(num_ceps=30, num_mel_bins=30, low_hz=20, high_hz=7600, snip_edges=False),
}


def noise(num_samples, seed=0, level=0.1):
    return level * torch.randn(num_samples, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def in_reference(monkeypatch):
    monkeypatch.chdir(REFERENCE)  # the scripts hold relative paths


@pytest.mark.parametrize("name", CONFIGS)
def test_features_equal_those_of_kaldis_own_binary(name, in_reference):
    reference = read_scp(f"mfcc_{name}.scp")
    wavs = [torch.from_numpy(read_audio(path)[0]) for path in read_table("wav.scp").values()]
    batch = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True)
    feats, num_frames = Mfcc(CONFIGS[name])(batch, torch.tensor([len(wav) for wav in wavs]))
    assert len(reference) == 4
    for row, n, expected in zip(feats, num_frames, reference.values(), strict=True):
        np.testing.assert_allclose(row[:n], expected, rtol=0, atol=2e-2)


@st.composite
def configs(draw):
    fs = draw(st.sampled_from([8000, 11025, 16000]))
    num_mel_bins = draw(st.integers(15, 30))
    frame_length_ms = draw(st.sampled_from([20.0, 25.0, 32.0]))
    even = (fs, frame_length_ms) != (11025, 25.0)  # the other implementation takes even frames only
    return MfccConfig(
        fs=fs,
        frame_length_ms=frame_length_ms,
        frame_shift_ms=draw(st.sampled_from([5.0, 10.0, 12.5])),
        num_mel_bins=num_mel_bins,
        num_ceps=draw(st.integers(5, num_mel_bins)),
        low_hz=draw(st.sampled_from([20.0, 100.0])),
        high_hz=draw(st.sampled_from([0.0, -300.0, 3700.0])),
        preemphasis=draw(st.sampled_from([0.0, 0.97])),
        remove_dc=draw(st.booleans()),
        window=draw(st.sampled_from(["povey", "hamming", "hanning", "rectangular", "blackman"])),
        use_energy=draw(st.booleans()),
        raw_energy=draw(st.booleans()),
        energy_floor=draw(st.sampled_from([0.0, 1.0, 1e7])),
        cepstral_lifter=draw(st.sampled_from([0.0, 22.0])),
        snip_edges=draw(st.booleans()),
        round_to_power_of_two=draw(st.booleans()) if even else True,
    )


@settings(max_examples=60, deadline=None)
@given(configs(), st.integers(1, 12000), st.integers(0, 99), st.sampled_from([1e-3, 0.1]), st.sampled_from([0, 0.05]))
def test_features_agree_with_a_second_implementation_for_any_settings(config, num_samples, seed, level, offset):
    samples = noise(num_samples, seed, level) + offset
    feats, num_frames = Mfcc(config)(samples[None])
    expected = native_mfcc(config)(samples.numpy())
    assert num_frames.item() == len(expected)
    np.testing.assert_allclose(feats[0], expected, rtol=0, atol=2e-2)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=6), st.booleans())
def test_neither_padding_nor_batch_mates_change_the_features(lengths, snip_edges):
    mfcc = Mfcc(MfccConfig(snip_edges=snip_edges))
    batch = torch.full((len(lengths), 3100), float("nan"))  # what lies beyond the end must not matter
    for row, length in enumerate(lengths):
        batch[row, :length] = noise(length, seed=row)
    feats, num_frames = mfcc(batch, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone, n = mfcc(batch[row : row + 1, :length])
        assert num_frames[row] == n
        torch.testing.assert_close(feats[row, :n], alone[0], rtol=0, atol=1e-3)
        assert not feats[row, n:].any()


def test_a_signal_longer_than_one_chunk_has_no_seams():
    mfcc = Mfcc(DEMIXING)
    whole, _ = mfcc(noise(160 * 2000)[None])
    inner, _ = mfcc(noise(160 * 2000)[None, 160 * 400 : 160 * 700])
    torch.testing.assert_close(whole[0, 402:698], inner[0, 2:298], rtol=0, atol=1e-3)


def test_twice_the_amplitude_adds_the_logarithm_of_four_to_the_energy_and_nothing_to_the_rest():
    mfcc = Mfcc(DEMIXING)
    quiet, loud = mfcc(noise(16000)[None])[0], mfcc(2 * noise(16000)[None])[0]
    expected = torch.zeros(20)
    expected[0] = np.log(4)
    torch.testing.assert_close(loud - quiet, expected.expand(1, 100, 20), rtol=0, atol=1e-3)


def test_the_energy_is_that_of_the_frame_without_its_mean():
    # a frame of +-1/32768 around an offset: 400 samples of power 1
    samples = (torch.tensor([1.0, -1.0]).repeat(200) + 1000) / 32768
    feats, _ = Mfcc(MfccConfig())(samples[None])
    assert feats[0, 0, 0].item() == pytest.approx(np.log(400), abs=1e-4)


def test_digital_silence_gives_finite_features():
    feats, _ = Mfcc(DEMIXING)(torch.zeros(1, 16000))
    assert feats[0, :, 0].tolist() == pytest.approx([np.log(np.finfo(np.float32).eps)] * 100)
    assert feats.isfinite().all()


def test_no_utterance_at_all_gives_no_features():
    feats, num_frames = Mfcc()(torch.zeros(0, 400))
    assert (feats.shape, num_frames.shape) == ((0, 0, 13), (0,))


def test_more_samples_than_the_batch_holds_are_refused():
    with pytest.raises(ValueError, match="num_samples: expected at most the 400 of the batch, got 401"):
        Mfcc()(torch.zeros(1, 400), torch.tensor([401]))


def test_dither_depends_on_the_generator_of_the_row_alone():
    mfcc = Mfcc(MfccConfig(dither=1.0))
    one, two = mfcc.packed([torch.zeros(8000)] * 2, generators=[torch.Generator().manual_seed(n) for n in (1, 2)])
    (again,) = mfcc.packed([torch.zeros(4000)], generators=[torch.Generator().manual_seed(2)])
    assert not torch.equal(one, two)
    torch.testing.assert_close(two[:10], again[:10], rtol=0, atol=1e-3)


def test_dither_of_silence_has_the_energy_asked_for():
    generators = [torch.Generator().manual_seed(0)]
    (feats,) = Mfcc(MfccConfig(dither=3.0)).packed([torch.zeros(160000)], generators=generators)
    assert feats[:, 0].exp().mean().item() / 400 == pytest.approx(9, rel=0.02)


@pytest.mark.parametrize("fs", [8000, 16000, 44100])
def test_the_number_of_frames_is_what_its_settings_say(fs):
    config = MfccConfig(fs=fs, snip_edges=False)
    _, num_frames = Mfcc(config)(noise(30011)[None])
    assert num_frames.item() == config.num_frames(30011)


@pytest.mark.parametrize("num_samples", [1, 2, 3, 5, 50])
def test_mirrored_samples_follow_kaldis_rule_even_for_signals_shorter_than_the_edge(num_samples):
    before, after = 7, 9
    signal = torch.zeros(before + num_samples + after)
    signal[before : before + num_samples] = torch.arange(1.0, num_samples + 1)
    mirror_edges(signal, torch.tensor([before]), torch.tensor([num_samples]), before=before, after=after)

    def sample(s):  # ExtractWindow of Kaldi's feature-window.cc
        while s < 0 or s >= num_samples:
            s = -s - 1 if s < 0 else 2 * num_samples - 1 - s
        return s + 1.0

    assert signal.tolist() == [sample(s) for s in range(-before, num_samples + after)]


def test_every_utterance_of_a_signal_is_mirrored_at_its_own_ends():
    signal = torch.tensor([0.0, 1, 2, 0, 0, 5, 6, 7, 0])
    mirror_edges(signal, torch.tensor([1, 5]), torch.tensor([2, 3]), before=1, after=1)
    assert signal.tolist() == [1, 1, 2, 2, 5, 5, 6, 7, 7]
