"""File to file: any rate, format, length and number of channels; whatever is unfit is one line and loses nothing."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.filter_extractor import FS, PRESENCE, FilterExtractor, high_noise, low_noise, spec

from zspex_toolkit.errors import AudioError, ConfigError, UserError
from zspex_toolkit.extract import recording as module
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.recording import OutputOptions, enroll_recordings, extract_recording
from zspex_toolkit.io import audio_blocks
from zspex_toolkit.io.audio import audio_info, read_audio
from zspex_toolkit.io.audio_blocks import read_blocks
from zspex_toolkit.signal.resample import resample

TARGET, INTERFERER = low_noise(3 * FS), high_noise(3 * FS)
DEFAULTS = {"channels": "mono", "normalize_output": "mixture", "sample_format": "int16", "chunk_s": 12.0}


class Case:
    """A folder to extract in, and all that was said."""

    def __init__(self, folder, levels=(1.0,), presence=None):
        self.folder, self.said = folder, []
        self.extractor = Extractor(spec(presence), FilterExtractor(levels), "cpu")
        self.clue = self.extractor.enroll(low_noise(FS, seed=9), FS)
        self.output = folder / "out.wav"

    def extract(self, mixture, output="out.wav", **options):
        self.output = self.folder / output
        options = OutputOptions(**DEFAULTS | options)
        (extracted,) = extract_recording(
            self.extractor, str(mixture), self.clue, [self.output], options, say=self.said.append
        )
        return extracted

    def write(self, samples, fs=FS, name="mix.wav", subtype="FLOAT"):
        soundfile.write(self.folder / name, samples, fs, subtype=subtype)
        return self.folder / name

    def voice(self):
        return np.concatenate(list(read_blocks(self.output)))


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


def snr_db(estimate, reference):
    return 10 * np.log10(np.sum(reference**2) / np.sum((estimate - reference) ** 2))


def test_the_voice_is_written_as_long_and_as_loud_as_in_the_mixture(case):
    extracted = case.extract(case.write(TARGET + INTERFERER))
    assert extracted.seconds == 3 and extracted.presence is None and case.said == []
    assert snr_db(case.voice()[:, 0], TARGET) > 45
    assert soundfile.info(case.output).subtype == "PCM_16"


@pytest.mark.parametrize(("fs", "beyond"), [(44100, "; above 4000 Hz the output is empty"), (6000, "")])
def test_another_rate_is_resampled_there_and_back_and_said(case, fs, beyond):
    mixture = resample(TARGET + INTERFERER, FS, fs)
    path = case.write(mixture, fs)
    case.extract(path)
    info = audio_info(case.output)
    assert (info.num_samples, info.fs) == (len(mixture), fs)
    assert snr_db(case.voice()[:, 0], resample(TARGET, FS, fs)) > 45
    assert case.said == [f"{path}: resampled from {fs} Hz to the model's 8000 Hz, and the output back{beyond}"]


def test_stereo_is_taken_as_its_mean_and_said(case):
    path = case.write(np.stack([TARGET, INTERFERER], axis=1))
    case.extract(path)
    assert case.voice().shape == (3 * FS, 1) and snr_db(case.voice()[:, 0], TARGET / 2) > 40
    assert case.said == [f"{path}: 2 channels, taken as one by their mean; --channels each keeps them apart"]


def test_channels_that_cancel_each_other_are_said(case):
    path = case.write(np.stack([TARGET, -TARGET], axis=1))
    case.extract(path)
    assert not case.voice().any()
    expected = f"{case.output}: silent, for the mixture's channels cancel each other; --channels each keeps them apart"
    assert case.said[-1] == expected
    case.extract(path, channels="each")
    assert snr_db(case.voice()[:, 1], -TARGET) > 45 and case.said.count(expected) == 1


def test_each_channel_can_be_extracted_by_itself(case):
    left, right = low_noise(3 * FS, 5), -0.3 * low_noise(3 * FS, 6)
    case.extract(case.write(np.stack([left + INTERFERER, right], axis=1)), channels="each")
    assert snr_db(case.voice()[:, 0], left) > 45 and snr_db(case.voice()[:, 1], right) > 35
    assert case.said == []


def test_what_lies_on_disk_meanwhile_gives_what_memory_gives(case, monkeypatch):
    monkeypatch.setattr(audio_blocks, "BLOCK", 1000)
    target, interferer = low_noise(20 * FS), high_noise(20 * FS)
    path = case.write(target + interferer)
    case.extract(path, chunk_s=5, sample_format="float32")
    expected = case.extractor.extract(read_audio(path)[0], low_noise(FS, seed=9), FS, chunk_s=5)
    np.testing.assert_allclose(case.voice()[:, 0], expected, atol=1e-6)
    assert sorted(file.name for file in case.folder.iterdir()) == ["mix.wav", "out.wav"]


def test_no_block_is_longer_than_a_chunk_whatever_the_length(case, monkeypatch):
    longest = []

    def spy(path, blocks, info, sample_format):
        longest.extend(len(block) for block in blocks)

    monkeypatch.setattr(module, "write_blocks", spy)
    case.extract(case.write(low_noise(120 * FS)), chunk_s=4)
    assert sum(longest) == 120 * FS and max(longest) <= 4 * FS
    assert max(case.extractor.network.lengths) <= 4 * FS


def test_an_output_that_would_clip_is_turned_down_as_a_whole_and_said(case):
    loud = 6 * TARGET  # as in a float file with a peak of 1.5
    case.extract(case.write(loud))
    voice = case.voice()[:, 0]
    assert np.abs(voice).max() == pytest.approx(32767 / 32768)
    assert snr_db(voice * np.abs(loud).max(), loud) > 45
    assert case.said[-1] == f"{case.output}: turned down by 3.5 dB as a whole, so that nothing clips"


@pytest.mark.parametrize(("normalize_output", "peak"), [("peak", 0.9), ("none", 0.5)])
def test_the_level_can_be_set_otherwise(tmp_path, normalize_output, peak):
    case = Case(tmp_path, levels=[2.0])
    case.extract(case.write(TARGET + INTERFERER), normalize_output=normalize_output)
    assert np.abs(case.voice()).max() == pytest.approx(peak, rel=0.02)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_sample_format_is_read(case, subtype):
    case.extract(case.write(TARGET + INTERFERER, subtype=subtype))
    assert snr_db(case.voice()[:, 0], TARGET) > (20 if subtype == "PCM_U8" else 45)


@pytest.mark.parametrize(
    ("name", "sample_format", "subtype"),
    [("o.flac", "int16", "PCM_16"), ("o.flac", "int24", "PCM_24"), ("o.wav", "float32", "FLOAT")],
)
def test_the_output_has_the_asked_format(case, name, sample_format, subtype):
    case.extract(case.write(TARGET + INTERFERER), output=name, sample_format=sample_format)
    assert soundfile.info(case.output).subtype == subtype
    assert snr_db(case.voice()[:, 0], TARGET) > 45


def test_an_offset_is_taken_off_and_said(case):
    path = case.write(TARGET + INTERFERER - 0.2)
    case.extract(path)
    assert snr_db(case.voice()[:, 0], TARGET) > 45
    assert case.said == [f"{path}: a DC offset of -0.2000 is taken off"]


def test_a_level_that_the_model_does_not_know_is_said_and_kept(tmp_path):
    case = Case(tmp_path, presence=PRESENCE | {"quietest_db": -40.0})
    path = case.write(TARGET / 100)  # about -24 dB, and 40 less
    case.extract(path, sample_format="float32")
    assert snr_db(case.voice()[:, 0], TARGET / 100) > 45
    expected = r"mix\.wav: 2[0-9] dB quieter than what the model knows; the network gets it as usual"
    assert len(case.said) == 1 and re.search(expected, case.said[0])
    enroll_recordings(case.extractor, [str(path)], say=case.said.append)
    assert re.search(expected, case.said[1])


def test_a_clipped_recording_is_said(case):
    path = case.write(np.clip(8 * TARGET, -1, 1), subtype="PCM_16")
    case.extract(path)
    num_clipped = int((np.abs(read_audio(path)[0]) >= 32767 / 32768).sum())
    assert num_clipped > 100
    assert case.said[0] == f"{path}: clipped, {num_clipped} samples lie at full scale; expect distortion"
    assert np.abs(case.voice()).max() <= 32767 / 32768


def test_silence_gives_silence_and_is_said(tmp_path):
    case = Case(tmp_path, presence=PRESENCE)
    path = case.write(np.zeros(FS))
    assert case.extract(path).presence == 0
    assert not case.voice().any() and len(case.voice()) == FS
    assert case.said == [f"{path}: silent throughout, and so is the output"]


@pytest.mark.parametrize("num_samples", [1, 5, 200])
def test_a_mixture_shorter_than_a_filter_keeps_its_length(tmp_path, num_samples):
    case = Case(tmp_path, presence=PRESENCE | {"cosine": 1.0})
    assert case.extract(case.write(TARGET[:num_samples], 16000)).presence in (None, 0)
    assert case.voice().shape == (num_samples, 1)


def test_presence_tells_the_speaker_from_nobody(tmp_path):
    case = Case(tmp_path, presence=PRESENCE)
    assert case.extract(case.write(TARGET + INTERFERER)).presence > 0.99
    assert case.extract(case.write(INTERFERER)).presence < 0.01


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file or directory"),
        (b"", "empty file"),
        (b"no audio at all", "not readable as audio"),
        (np.zeros(0), "holds no samples"),
        (np.array([0.0, np.nan, 1.0]), "holds NaN or infinity, first at sample 1"),
    ],
)
def test_an_unfit_mixture_is_one_line_and_what_was_there_stays(case, content, message):
    path = case.folder / "mix.wav"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        case.write(content)
    case.output.write_bytes(b"earlier")
    with pytest.raises(AudioError) as error:
        case.extract(path)
    assert str(error.value).startswith(f"{path}: {message}") and "\n" not in str(error.value)
    assert case.output.read_bytes() == b"earlier"


def test_a_mixture_that_was_cut_off_is_refused(case):
    path = case.write(TARGET, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(AudioError, match=r"mix\.wav: cut off: its header promises 48000 bytes of samples, it has 199"):
        case.extract(path)


def test_the_mixture_itself_is_never_overwritten(case):
    path = case.write(TARGET)
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"mix\.wav: is the mixture itself; give the output another name"):
        case.extract(path, output="mix.wav")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": "left"}, "channels: expected one of mono, each, got 'left'"),
        ({"normalize_output": "loud"}, "normalize_output: expected one of mixture, peak, none, got 'loud'"),
        ({"sample_format": "int8"}, "sample_format: expected one of int16, int24, float32, got 'int8'"),
        ({"chunk_s": 0.1}, "chunk_s: expected 1 second or more, got 0.1"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(case, options, message):
    with pytest.raises(ConfigError, match=message):
        case.extract(case.write(TARGET), **options)
    assert not case.output.exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("folder.wav", r"folder\.wav: is a folder; give the output the name of a file"),
        ("mix.wav/out.wav", r"mix\.wav: cannot be written to \(file exists\)"),
    ],
)
def test_a_place_that_takes_no_output_is_named_before_anything_is_computed(case, output, message):
    (case.folder / "folder.wav").mkdir()
    with pytest.raises(UserError, match=message):
        case.extract(case.write(TARGET), output=output)
    assert case.extractor.network.lengths == []


def test_of_an_enrollment_that_is_no_use_only_that_is_said(tmp_path):
    case = Case(tmp_path, presence=PRESENCE | {"quietest_db": -40.0})
    path = case.write(TARGET[:20] / 1000, name="me.wav")
    with pytest.raises(AudioError, match=r"me\.wav: too short for an enrollment"):
        enroll_recordings(case.extractor, [str(path)], say=case.said.append)
    assert case.said == []


def test_a_failure_on_the_way_leaves_no_trace(case):
    case.extractor.network.levels = [float("nan")]
    with pytest.raises(UserError, match="the network gives NaN or infinity"):
        case.extract(case.write(TARGET))
    assert [file.name for file in case.folder.iterdir()] == ["mix.wav"]


def test_enrollments_of_any_rate_and_channels_are_averaged(case):
    one, other = low_noise(FS), (low_noise(FS) + high_noise(FS)).astype(np.float32)
    paths = [
        str(case.write(np.stack([one, one], axis=1), name="one.wav")),
        str(case.write(resample(other, FS, 16000), 16000, "other.wav")),
    ]
    clue = enroll_recordings(case.extractor, paths, say=case.said.append)
    expected = case.extractor.enroll([one, other], FS).embedding
    np.testing.assert_allclose(clue.embedding, expected, atol=0.01)
    assert case.said == [f"{paths[1]}: resampled from 16000 Hz to the model's 8000 Hz"]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(FS), "silent: no speech to know the speaker by"),
        (TARGET[:240], "too short for an enrollment: expected at least 35 ms, found 30 ms"),
        (np.zeros(0), "holds no samples"),
        (np.array([np.inf] * 900), "holds NaN or infinity, first at sample 0"),
        (None, "no such file or directory"),
    ],
)
def test_an_unfit_enrollment_is_one_line(case, samples, message):
    if samples is not None:
        case.write(samples, name="me.wav")
    with pytest.raises(AudioError) as error:
        enroll_recordings(case.extractor, [str(case.folder / "me.wav")], say=case.said.append)
    assert str(error.value).startswith(f"{case.folder}/me.wav: {message}")


def test_no_enrollment_at_all_is_refused(case):
    with pytest.raises(ConfigError, match="enrollment: expected at least one recording of the speaker"):
        enroll_recordings(case.extractor, [])


HOUR = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import numpy as np, soundfile
from support.filter_extractor import FS, FilterExtractor, low_noise, spec
from zspex_toolkit.extract.recording import OutputOptions, extract_recording
from zspex_toolkit.extract.extractor import Extractor
folder, minutes = Path(sys.argv[2]), int(sys.argv[3])
second = np.round(low_noise(16000, fs=16000) * 32768).astype(np.int16)
with soundfile.SoundFile(folder / "mix.wav", "w", 16000, 1) as sound:
    for _ in range(60 * minutes):
        sound.write(second)
extractor = Extractor(spec(), FilterExtractor(), "cpu")
clue = extractor.enroll(low_noise(FS), FS)
options = OutputOptions("mono", "mixture", "int16", 12.0)
extract_recording(extractor, str(folder / "mix.wav"), clue, [folder / "out.wav"], options)
assert soundfile.info(folder / "out.wav").frames == 60 * minutes * 16000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.slow
def test_an_hour_takes_no_more_memory_than_two_minutes(tmp_path):
    peaks = {}
    for minutes in (2, 60):
        command = [sys.executable, "-c", HOUR, str(Path(__file__).parents[1]), str(tmp_path), str(minutes)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        peaks[minutes] = float(done.stdout)
    # The hour's samples alone are 220 MiB as floats.
    assert peaks[60] < peaks[2] + 30
