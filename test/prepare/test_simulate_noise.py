"""A folder of noise: its kinds are what they are called, and follow from the seed alone."""

import numpy as np
import pytest

from zspex_toolkit.errors import AudioError, ConfigError, DataDirError
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.simulate_noise import Config, simulate_noise
from zspex_toolkit.simulation.recordings import Recordings

FS = 8000


def run(out, **settings):
    simulate_noise(Config(out, **{"num_noises": 4, "seconds": 4.0, "fs": FS, "voices": (2, 3), **settings}))
    return Recordings(out, FS)


def tones(tmp_path, **levels):
    """Speakers whose utterances are tones: ann of 300 Hz, bob of 500, cyd of 700; at these amplitudes, or 0.1."""
    wavs = {}
    for spk, hz in (("ann", 300), ("bob", 500), ("cyd", 700)):
        for number in (1, 2):
            utt = f"{spk}-{number}"
            wavs[utt] = str(tmp_path / f"{utt}.wav")
            samples = levels.get(spk, 0.1) * np.sin(2 * np.pi * hz / 16000 * np.arange(16000 * number))
            write_audio(wavs[utt], samples, 16000)
    write_data_dir(tmp_path / "data", wavs=wavs, utt2spk={utt: utt[:3] for utt in wavs})
    return tmp_path / "data"


def spectrum(samples: np.ndarray) -> np.ndarray:
    """Energy by Hz, as a share of all."""
    energy = np.abs(np.fft.rfft(samples, FS * (len(samples) // FS))) ** 2
    energy = np.add.reduceat(energy, np.arange(0, len(energy), len(samples) // FS))
    return energy / energy.sum()


def test_without_speech_there_are_as_many_of_each_kind_and_no_babble(tmp_path, capsys):
    noises = run(tmp_path, num_noises=6)
    assert list(noises) == [f"{name}.flac" for name in
        ("clatter-001", "fan-001", "fan-002", "hiss-001", "hum-001", "hum-002")]  # fmt: skip
    assert {len(samples) for samples in noises.values()} == {4 * FS}
    assert all(np.abs(samples).max() == pytest.approx(0.9, abs=1e-4) for samples in noises.values())
    assert "6 noises (2 fan, 2 hum, 1 clatter, 1 hiss): 6 made, 0 already there" in capsys.readouterr().out


def test_half_is_babble_of_as_many_speakers_as_asked_for_each_as_loud_up_to_6_db(tmp_path):
    noises = run(tmp_path / "noises", data=tones(tmp_path, ann=0.5), num_noises=8)
    babbles = [samples for name, samples in noises.items() if name.startswith("babble")]
    counts = set()
    for samples in babbles:
        shares = np.array([spectrum(samples)[hz - 2 : hz + 3].sum() for hz in (300, 500, 700)])
        speaking = shares[shares > 0.01]
        assert speaking.sum() > 0.95 and speaking.max() / speaking.min() < 10**1.25
        counts.add(len(speaking))
    assert len(babbles) == 4 and counts == {2, 3}


def test_babble_in_rooms_is_reverberant(tmp_path):
    """A room that delays its echo by 0.1 s after the direct sound."""
    write_audio(tmp_path / "rooms" / "hall.wav", np.r_[0.9, np.zeros(799), 0.5], FS)
    dry = run(tmp_path / "dry", data=tones(tmp_path), num_noises=1)["babble-001.flac"]
    wet = run(tmp_path / "wet", data=tmp_path / "data", room_dir=tmp_path / "rooms", num_noises=1)["babble-001.flac"]
    expected = dry.copy()
    expected[800:] += dry[:-800] * 5 / 9
    assert wet == pytest.approx(expected * 0.9 / np.abs(expected).max(), abs=1e-3)


def test_hum_has_harmonics_of_50_or_60_hz(tmp_path):
    noises = run(tmp_path, num_noises=12)
    for name, samples in noises.items():
        if name.startswith("hum"):
            energy = spectrum(samples)
            harmonic = [sum(energy[k * hz - 3 : k * hz + 4].sum() for k in range(1, 31)) for hz in (50, 60)]
            assert max(harmonic) > 0.75 > min(harmonic)


def test_hiss_falls_by_up_to_6_db_an_octave_and_differs(tmp_path):
    noises = run(tmp_path, num_noises=16)
    slopes = []
    for name, samples in noises.items():
        if name.startswith("hiss"):
            octaves = [10 * np.log10(spectrum(samples)[hz : 2 * hz].mean()) for hz in (125, 250, 500, 1000, 2000)]
            slopes.append(np.polyfit(range(5), octaves, 1)[0])
    assert len(slopes) == 4 and all(-6.5 < slope < 0.5 for slope in slopes) and np.ptp(slopes) > 1


def test_clatter_is_peakier_than_hiss(tmp_path):
    noises = run(tmp_path)
    crest = {name: np.abs(samples).max() / np.std(samples) for name, samples in noises.items()}
    assert crest["clatter-001.flac"] > 1.5 * crest["hiss-001.flac"]


def test_seed_kind_and_number_alone_decide_the_samples(tmp_path, content):
    data = tones(tmp_path)
    for name, settings in {"a": {}, "b": {"nj": 2}, "c": {"seed": 1}, "d": {"num_noises": 6}}.items():
        run(tmp_path / name, data=data, **settings)
    one, two, other, more = (content(tmp_path / name) for name in "abcd")
    assert one == two
    assert all(value != one[name] for name, value in other.items())
    assert all(value == one[name] for name, value in more.items() if name in one and name.suffix == ".flac")


def test_what_is_there_is_kept_and_recordings_of_ones_own_stay(tmp_path, capsys, content):
    write_audio(tmp_path / "tap.flac", np.ones(5), FS)
    run(tmp_path)
    before = content(tmp_path)
    (tmp_path / "hum-001.flac").unlink()
    run(tmp_path)
    assert content(tmp_path) == before and "1 made, 3 already there" in capsys.readouterr().out
    run(tmp_path, num_noises=2)
    assert {path.name for path in tmp_path.glob("*.flac")} == {"tap.flac", "fan-001.flac", "hum-001.flac"}


def test_speech_that_is_all_silence_is_named(tmp_path):
    data = tones(tmp_path, ann=0, bob=0, cyd=0)
    with pytest.raises(AudioError, match=r"data: expected speech for babble-001\.flac, found silence"):
        run(tmp_path / "noises", data=data)


def test_too_few_speakers_are_refused(tmp_path):
    with pytest.raises(DataDirError, match="expected 20 or more speakers for the babble, found 3; lower --voices"):
        run(tmp_path / "noises", data=tones(tmp_path), voices=(5, 20))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_noises": 0}, "num_noises: expected at least 1, got 0"),
        ({"seconds": 0.5}, "seconds: expected at least 1, got 0.5"),
        ({"seconds": float("nan")}, "seconds: expected at least 1, got nan"),
        ({"voices": (3, 2)}, r"voices: expected two numbers from 1 on, the least first, got \[3, 2\]"),
    ],
)
def test_settings_out_of_their_range_are_refused(tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        run(tmp_path, **settings)


def test_a_recording_of_such_a_name_that_was_not_made_is_kept(tmp_path):
    write_audio(tmp_path / "fan-001.flac", np.ones(5), FS)
    with pytest.raises(ConfigError, match=r"holds another file of the name fan-001\.flac"):
        run(tmp_path)
    assert len(read_audio(tmp_path / "fan-001.flac")[0]) == 5
