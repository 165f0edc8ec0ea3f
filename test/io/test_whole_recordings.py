"""Recordings that can only be read whole are read once for all their segments."""

import pickle

import numpy as np
import pytest
import soundfile

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io import whole_recordings
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.whole_recordings import sample_range
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.make_mfcc import Config as MfccConfig
from zspex_toolkit.prepare.make_mfcc import make_mfcc
from zspex_toolkit.prepare.resample_data_dir import Config as ResampleConfig
from zspex_toolkit.prepare.resample_data_dir import resample_data_dir

FS = 16000
NUM_SEGMENTS = 20


@pytest.fixture
def cut(tmp_path, noise):
    """Two tapes behind pipes that note each run in ``calls``, their segments in turns."""
    wavs = {}
    for number, tape in enumerate(("r1", "r2")):
        write_audio(tmp_path / f"{tape}.wav", noise(2 * FS, seed=number), FS)
        wavs[tape] = f"echo x >> {tmp_path}/calls; cat {tmp_path}/{tape}.wav |"
    utts = [f"s-{number:02d}" for number in range(NUM_SEGMENTS)]
    segments = {utt: (f"r{1 + number % 2}", number / 20, number / 20 + 0.5) for number, utt in enumerate(utts)}
    write_data_dir(tmp_path / "data", wavs=wavs, utt2spk=dict.fromkeys(utts, "s"), segments=segments)
    return tmp_path / "data"


def calls(cut):
    path = cut.parent / "calls"
    count = len(path.read_text().splitlines()) if path.exists() else 0
    path.write_text("")
    return count


def test_a_pipe_runs_once_for_all_segments_though_they_take_turns(cut, noise):
    data = DataDir.load(cut)
    for number, utt in enumerate(data.utterances):
        start = round(number / 20 * FS)
        expected = noise(2 * FS, seed=number % 2)[start : start + FS // 2]
        assert np.array_equal(data.read_audio(utt, fs=FS)[0], expected)
    assert calls(cut) == 2
    DataDir.load(cut).compact().read_audio("s-00")  # another reading begins anew: the tape may be another by then
    assert calls(cut) == 1


@pytest.mark.parametrize(
    "command",
    [
        lambda data, out: make_mfcc(MfccConfig(data, out / "mfcc")),
        lambda data, out: resample_data_dir(ResampleConfig(data, out / "out", out / "dump")),
    ],
)
def test_commands_run_it_once(cut, tmp_path, command):
    command(cut, tmp_path)
    assert calls(cut) == 2


def test_what_has_to_be_decoded_whole_is_decoded_once(tmp_path, noise, monkeypatch):
    soundfile.write(tmp_path / "a.wav", noise(FS), 8000, subtype="GSM610")
    whole = []
    read = whole_recordings.read_audio
    monkeypatch.setattr(whole_recordings, "read_audio", lambda source, **options: whole.append(1) or read(source))
    recordings = whole_recordings.WholeRecordings()
    parts = [recordings.read_segment(str(tmp_path / "a.wav"), n / 10, (n + 1) / 10, 8000)[0] for n in range(20)]
    assert len(whole) == 1
    assert np.array_equal(np.concatenate(parts), read(tmp_path / "a.wav")[0])


def test_what_is_kept_is_bounded_and_is_no_part_of_a_pickle(cut, monkeypatch):
    monkeypatch.setattr(whole_recordings, "_KEPT_BYTES", 1000)
    data = DataDir.load(cut)
    for utt in data.utterances:
        data.read_audio(utt)
    assert calls(cut) == NUM_SEGMENTS  # one is kept, and they take turns
    assert len(pickle.dumps(data)) < 10_000


def test_faults_are_those_of_other_segments(cut):
    data = DataDir.load(cut)
    with pytest.raises(AudioError, match=r"s-00: .*expected 8000 Hz, found 16000 Hz; resample it first"):
        data.read_audio("s-00", fs=8000)
    with pytest.raises(AudioError, match=r"segment 3 s to 4 s lies outside the recording of 2.000 s"):
        whole_recordings.WholeRecordings().read_segment(data.wavs["r1"], 3, 4, None)


@pytest.mark.parametrize(("start_s", "end_s"), [(-0.5, -1), (0.1, 0.10001), (0.5, 0.4), (-1, 0.5)])
def test_a_segment_without_samples_or_before_its_recording_is_refused(start_s, end_s):
    with pytest.raises(AudioError, match=r"^x\.wav: segment .* holds no sample at 8000 Hz$"):
        sample_range(start_s, end_s, 8000, 16000, "x.wav")
