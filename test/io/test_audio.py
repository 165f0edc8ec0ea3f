"""Audio of every source and format, and one clear line for every kind that is unfit."""

import os
import re
import subprocess
import sys

import kaldiio
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.audio import AudioInfo, audio_info, read_audio, write_audio


@pytest.fixture
def wav(tmp_path, noise):
    write_audio(tmp_path / "a.wav", noise(1000), 16000)
    return tmp_path / "a.wav"


@settings(max_examples=30, deadline=None)
@given(samples=arrays(np.int16, st.integers(1, 50)))
def test_sixteen_bits_are_read_back_as_they_were_written(samples, tmp_path_factory):
    path = tmp_path_factory.mktemp("a") / "a.wav"
    write_audio(path, samples / 32768, 8000)
    read, fs = read_audio(path)
    assert np.array_equal(read * 32768, samples)
    assert (read.dtype, fs) == (np.float32, 8000)


def test_full_scale_is_not_wrapped_around(tmp_path):
    write_audio(tmp_path / "a.wav", np.array([1.0, -1.0]), 16000)
    assert (read_audio(tmp_path / "a.wav")[0] * 32768).tolist() == [32767, -32768]


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.sph"])
def test_wav_flac_and_sphere_hold_the_same(tmp_path, noise, name):
    pcm = np.round(noise(1000) * 32768).astype(np.int16)
    soundfile.write(tmp_path / name, pcm, 16000, format="NIST" if name == "a.sph" else None, subtype="PCM_16")
    assert np.array_equal(read_audio(tmp_path / name)[0], noise(1000))
    assert np.array_equal(read_audio(tmp_path / name, start=100, stop=103)[0], noise(1000)[100:103])
    assert audio_info(tmp_path / name) == AudioInfo(1000, 16000, 1)


def test_a_pipe_is_run_through_the_shell(wav, noise):
    assert np.array_equal(read_audio(f"cat {wav} 2>/dev/null | cat |")[0], noise(1000))
    assert audio_info(f"cat {wav} |").num_samples == 1000


def test_a_pipe_that_cannot_know_its_length_is_read_to_the_end(wav, noise, tmp_path):
    streamed = bytearray(wav.read_bytes())
    streamed[40:44] = b"\xff\xff\xff\xff"  # as ffmpeg and sox write into a pipe
    (tmp_path / "streamed.wav").write_bytes(streamed)
    assert np.array_equal(read_audio(f"cat {tmp_path}/streamed.wav |")[0], noise(1000))


def test_a_failing_pipe_tells_its_status_and_last_words():
    with pytest.raises(AudioError) as error:
        read_audio("echo first >&2; echo no such disc >&2; exit 3 |")
    assert str(error.value) == "echo first >&2; echo no such disc >&2; exit 3 |: ended with status 3: no such disc"


def test_a_pipe_without_output_is_an_error():
    with pytest.raises(AudioError, match=r"true \|: gave no audio: no message"):
        read_audio("true |")


@pytest.mark.parametrize(
    "options",
    [{}, {"write_function": "soundfile"}, {"write_function": "soundfile", "write_kwargs": {"format": "flac"}}],
)
def test_an_audio_archive_is_read_at_its_offsets(tmp_path, noise, options):
    audio = {key: (16000, np.round(noise(500 + seed, seed) * 32768).astype(np.int16)) for seed, key in enumerate("abc")}
    kaldiio.save_ark(f"{tmp_path}/a.ark", audio, scp=f"{tmp_path}/a.scp", **options)
    lines = dict(line.split() for line in (tmp_path / "a.scp").read_text().splitlines())
    for seed, key in enumerate("abc"):
        assert np.array_equal(read_audio(lines[key])[0], noise(500 + seed, seed))


def test_another_rate_names_both(tmp_path, noise):
    write_audio(tmp_path / "cd.wav", noise(100), 44100)
    with pytest.raises(AudioError, match=r"cd\.wav: expected 16000 Hz, found 44100 Hz; resample it first"):
        read_audio(tmp_path / "cd.wav", fs=16000)


def test_stereo_is_refused_but_its_header_can_be_read(tmp_path):
    soundfile.write(tmp_path / "s.wav", np.zeros((10, 2)), 16000)
    assert audio_info(tmp_path / "s.wav").num_channels == 2
    with pytest.raises(AudioError, match=r"s\.wav: expected one channel, found 2"):
        read_audio(tmp_path / "s.wav")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty file"), (b"RIFFjunk", "not readable as audio: "), (b"\0" * 100, "not readable as audio: ")],
)
def test_an_empty_or_broken_file_is_refused(tmp_path, content, message):
    (tmp_path / "b.wav").write_bytes(content)
    with pytest.raises(AudioError, match=f"b.wav: {message}"):
        read_audio(tmp_path / "b.wav")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(AudioError, match=r"n\.wav: no such file or directory"):
        read_audio(tmp_path / "n.wav")


def test_a_header_without_samples_is_refused(tmp_path):
    soundfile.write(tmp_path / "e.wav", np.zeros(0), 16000)
    with pytest.raises(AudioError, match=r"e\.wav: holds no samples"):
        read_audio(tmp_path / "e.wav")


@pytest.mark.parametrize("name", ["a.wav", "a.sph"])
def test_a_file_that_was_cut_off_is_refused(tmp_path, noise, name):
    soundfile.write(tmp_path / name, noise(16000), 16000, format="NIST" if name == "a.sph" else None, subtype="PCM_16")
    os.truncate(tmp_path / name, 16000)
    with pytest.raises(AudioError, match=f"{name}: cut off: its header promises 32000 bytes of samples, it has 1"):
        read_audio(tmp_path / name)


def test_a_flac_that_was_cut_off_is_refused(tmp_path, noise):
    write_audio(tmp_path / "a.flac", noise(16000), 16000)
    os.truncate(tmp_path / "a.flac", 9000)
    with pytest.raises(AudioError, match=r"a\.flac: "):
        read_audio(tmp_path / "a.flac")


def test_packed_sphere_says_what_to_do(tmp_path):
    head = b"NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n"
    (tmp_path / "a.wv1").write_bytes(head.ljust(1024) + b"ajkg")
    with pytest.raises(AudioError, match=r"a\.wv1: NIST SPHERE packed by 'shorten'; read it through a pipe: sph2pipe"):
        read_audio(tmp_path / "a.wv1")


def test_nan_is_refused_with_its_place(tmp_path):
    samples = np.zeros(100, np.float32)
    samples[42] = np.nan
    soundfile.write(tmp_path / "n.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"n\.wav: holds NaN or infinity, first at sample 42"):
        read_audio(tmp_path / "n.wav", start=10)


@pytest.mark.parametrize(("start", "stop"), [(0, 1001), (5, 5), (-1, 10)])
def test_a_part_outside_the_recording_is_refused(wav, start, stop):
    with pytest.raises(AudioError, match=f"expected samples {start} to {stop}, found 1000 samples"):
        read_audio(wav, start=start, stop=stop)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.array([0, 1.5]), r"expected samples in \[-1, 1\], got a peak of 1.5"),
        (np.array([0, np.nan]), r"expected samples in \[-1, 1\], got a peak of nan"),
        (np.zeros((2, 3)), r"expected samples of shape \(T,\), got \(2, 3\)"),
        (np.zeros(0), r"expected samples of shape \(T,\), got \(0,\)"),
    ],
)
def test_unfit_samples_are_not_written(wav, samples, message):
    before = wav.read_bytes()
    with pytest.raises(AudioError, match=message):
        write_audio(wav, samples, 16000)
    assert wav.read_bytes() == before


def test_a_full_disk_leaves_the_old_audio(wav):
    before = wav.read_bytes()
    program = (
        "import resource, signal, sys; import numpy as np; from zspex_toolkit.io.audio import write_audio\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "write_audio(sys.argv[1], np.zeros(100_000), 16000)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(wav)], capture_output=True, text=True)
    assert done.returncode == 1
    assert wav.read_bytes() == before
    assert os.listdir(wav.parent) == ["a.wav"]


def test_nothing_but_the_asked_part_of_a_long_file_is_decoded(tmp_path, noise, monkeypatch):
    write_audio(tmp_path / "a.wav", noise(100_000), 16000)
    asked = []
    read = soundfile.SoundFile.read
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda self, n, **kw: asked.append(n) or read(self, n, **kw))
    read_audio(tmp_path / "a.wav", start=50_000, stop=50_010)
    assert asked == [10]


def test_the_bytes_of_a_pipe_may_be_flac(tmp_path, noise):
    write_audio(tmp_path / "a.flac", noise(100), 16000)
    assert np.array_equal(read_audio(f"cat {tmp_path}/a.flac |")[0], noise(100))


@pytest.mark.parametrize("entry", [b"RIFF12", b"AUDIO", b"other bytes"])
def test_an_offset_at_which_no_audio_begins_is_refused(tmp_path, entry):
    (tmp_path / "a.ark").write_bytes(b"utt " + entry)
    found = re.escape(repr(entry[:8]))
    with pytest.raises(AudioError, match=rf"a\.ark:4: expected audio \(RIFF, fLaC or AUDIO\), found {found}"):
        read_audio(f"{tmp_path}/a.ark:4")
