"""LibriMix's own samples: compared with its procedure written down here once more, by itself."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.io.audio import audio_info, read_audio
from zspex_toolkit.io.librimix import LibriMixture, from_line, mix, on_the_fly_wav, resampled_length, to_line, write_wav

FS = 16000
GAINS = (0.7925878276419455, 0.2142791008161834, 1.1114428047969456)


def write_noise(path: Path, num_samples: int, *, seed: int, channels: int = 1, fs: int = FS) -> str:
    samples = 0.2 * np.random.default_rng(seed).standard_normal((num_samples, channels))
    soundfile.write(path, np.clip(samples, -0.99, 0.99), fs, subtype="PCM_16")
    return str(path)


@pytest.fixture
def files(tmp_path):
    """Two utterances of odd lengths, in FLAC, and a noise of two channels that is too short for the longer one."""
    return [
        write_noise(tmp_path / "a.flac", 40001, seed=1),
        write_noise(tmp_path / "b.flac", 30003, seed=2),
        write_noise(tmp_path / "noise.wav", 17000, seed=3, channels=2),
    ]


def mixture(files, *, fs=8000, mode="min", noisy=False) -> LibriMixture:
    noise = {"noise": files[2], "noise_gain": GAINS[2]} if noisy else {}
    return LibriMixture("a_b", tuple(files[:2]), GAINS[:2], fs, mode, **noise)


def independently(files, fs, mode, noisy) -> dict[str, np.ndarray]:
    """The 16-bit samples of create_librimix_from_metadata.py, step by step: read, gain, resample, fit, sum, write."""
    signals = [soundfile.read(path, dtype="float32")[0] for path in files[:2]]
    if noisy:
        noise = soundfile.read(files[2], dtype="float32", stop=max(map(len, signals)))[0][:, 0]
        fade_in = np.hanning(16001)[:8001]
        longer = noise
        while len(longer) < max(map(len, signals)):
            crossing = longer[-8001:] * fade_in[::-1] + noise[:8001] * fade_in
            longer = np.concatenate((longer[:-8001], crossing, noise[8001:]))
        signals.append(longer[: max(map(len, signals))])
    signals = [resample_poly(signal * gain, fs, 16000) for signal, gain in zip(signals, GAINS, strict=False)]
    if mode == "min":
        signals = [signal[: min(map(len, signals))] for signal in signals]
    else:
        signals = [np.concatenate([signal, np.zeros(max(map(len, signals)) - len(signal))]) for signal in signals]
    total = np.zeros(len(signals[0]), dtype=np.float32)
    for signal in signals:
        total = (total + signal).astype(np.float32)
    names = ("s1", "s2", "noise")
    floats = {"mix": total, **dict(zip(names, signals, strict=False))}
    return {name: to_16_bits(signal) for name, signal in floats.items()}


def to_16_bits(samples: np.ndarray) -> np.ndarray:
    """What libsndfile makes of floats when it clips: rounded to 32 bits, of which the upper 16 are kept."""
    return np.clip(np.floor(np.rint(samples.astype(np.float64) * 2**31) / 2**16), -32768, 32767)


def as_written(samples: np.ndarray, fs: int) -> np.ndarray:
    stream = io.BytesIO()
    write_wav(stream, samples, fs)
    stream.seek(0)
    found, rate = soundfile.read(stream, dtype="int16")
    assert rate == fs
    return found


@pytest.mark.parametrize("fs", [8000, 16000])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("noisy", [False, True])
def test_every_sample_is_that_of_an_independent_computation(files, fs, mode, noisy):
    found = mix(mixture(files, fs=fs, mode=mode, noisy=noisy))
    expected = independently(files, fs, mode, noisy)
    assert found.keys() == expected.keys()
    for name, samples in found.items():
        assert np.array_equal(as_written(samples, fs), expected[name]), name


@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_length_is_that_of_the_shorter_or_longer_utterance_rounded_up(files, mode):
    length = {"min": 15002, "max": 20001}[mode]
    assert {len(samples) for samples in mix(mixture(files, mode=mode)).values()} == {length}
    assert resampled_length({"min": 30003, "max": 40001}[mode], 8000) == length


def test_16_bits_are_truncated_as_soundfile_does_with_floats():
    samples = np.array([0.0, 0.9, 1.0, -0.1, -1.0, 40000], dtype=np.float32) / 32768
    assert as_written(samples, 8000).tolist() == [0, 0, 1, -1, -1, 32767]


def test_a_line_says_it_all(files):
    noisy = mixture(files, noisy=True)
    assert from_line(to_line(noisy)) == noisy
    assert "\n" not in to_line(noisy)


@pytest.fixture
def lines(files, tmp_path):
    """A file of two mixtures; the position of the second."""
    first, second = to_line(mixture(files)), to_line(mixture(files, mode="max", noisy=True))
    path = tmp_path / "mix.mixtures.jsonl"
    path.write_text(f"{first}\n{second}\n", encoding="utf-8")
    return path, len(first) + 1


def test_on_the_fly_is_what_is_stored(files, lines, tmp_path):
    path, start = lines
    for position, each in ((0, mixture(files)), (start, mixture(files, mode="max", noisy=True))):
        for name, samples in mix(each).items():
            write_wav(tmp_path / "stored.wav", samples, 8000)
            source = f"{path}:{position}:{name}"
            assert on_the_fly_wav(source) == (tmp_path / "stored.wav").read_bytes()
            assert np.array_equal(read_audio(source, fs=8000)[0], read_audio(tmp_path / "stored.wav")[0])
            assert audio_info(source) == audio_info(tmp_path / "stored.wav")


def test_the_length_on_the_fly_comes_from_headers_and_missing_audio_is_named(files, lines):
    Path(files[2]).write_bytes(b"no noise to mix")
    assert audio_info(f"{lines[0]}:{lines[1]}:noise").num_samples == 20001
    Path(files[0]).unlink()
    with pytest.raises(AudioError, match=f"^{files[0]}: no such file, or not readable as audio$"):
        audio_info(f"{lines[0]}:0:mix")


def test_a_part_can_be_read_on_the_fly(lines):
    whole = read_audio(f"{lines[0]}:0:s1")[0]
    assert np.array_equal(read_audio(f"{lines[0]}:0:s1", start=100, stop=300)[0], whole[100:300])


@pytest.mark.parametrize(
    ("position", "message"),
    [
        ("5:mix", "expected the JSON of a mixture|Expecting|Extra data"),
        ("0:noise", "the mixture has no noise, only mix, s1, s2"),
        ("99999:mix", "is the position right"),
    ],
)
def test_a_wrong_position_or_signal_is_one_clear_line(lines, position, message):
    for read in (read_audio, audio_info):
        with pytest.raises(AudioError, match=message) as error:
            read(f"{lines[0]}:{position}")
    assert str(error.value).startswith(f"{lines[0]}:{position}: ")
    assert "\n" not in str(error.value)


def test_a_missing_file_of_lines_is_named(tmp_path):
    with pytest.raises(AudioError) as error:
        read_audio(f"{tmp_path}/a.mixtures.jsonl:0:mix")
    assert str(error.value) == f"{tmp_path}/a.mixtures.jsonl:0:mix: no such file or directory"


def test_a_missing_source_or_one_of_another_rate_is_named(files, tmp_path):
    Path(files[0]).unlink()
    with pytest.raises(AudioError) as error:
        mix(mixture(files))
    assert str(error.value) == f"{files[0]}: no such file"
    write_noise(tmp_path / "a.flac", 4000, seed=1, fs=8000)
    with pytest.raises(AudioError) as error:
        mix(mixture(files))
    assert str(error.value) == f"{files[0]}: expected 16000 Hz, found 8000 Hz"


def test_noise_too_short_to_prolong_is_refused(files, tmp_path):
    write_noise(tmp_path / "noise.wav", 8001, seed=3, channels=2)
    with pytest.raises(AudioError) as error:
        mix(mixture(files, noisy=True))
    assert str(error.value) == f"{files[2]}: expected noise of more than 8001 samples to prolong, found 8001"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "mid"}, "mode: expected one of min, max, got 'mid'"),
        ({"fs": 44100}, "fs: expected a rate from 1 to 16000 Hz, got 44100"),
    ],
)
def test_a_senseless_setting_is_refused(files, options, message):
    with pytest.raises(ConfigError) as error:
        mixture(files, **options)
    assert str(error.value) == message
